"""What people read: alert texts, mail, digest, pictures of a message, translations."""
