"""What search reaches, measured."""
