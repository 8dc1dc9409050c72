"""Messages to people: composing, delivery, digest, test messages."""
