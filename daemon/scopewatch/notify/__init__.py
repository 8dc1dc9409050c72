"""Delivery of messages to people: channels, attempts, pictures, and a heartbeat outside."""
