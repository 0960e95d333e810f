"""Inception-v3 taught by EfficientNet-Lite2, until the heads of the one understand the other."""
