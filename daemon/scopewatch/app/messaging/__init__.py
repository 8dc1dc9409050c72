"""What brings messages to people: composing, delivery, digest, test messages."""
