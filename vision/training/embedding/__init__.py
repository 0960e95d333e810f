"""The space of photos and texts: an image head, and a text side in two languages."""
