"""What rules of plates and wells follow from: it is read before they are stepped."""
