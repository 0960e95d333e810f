"""Retraining what ships on the photos of its owner and on what people said of them.

Photos go by the SHA-256 of their originals. Nothing here knows a database: lessons come in as
plain values, and a draft of a version goes out.
"""
