"""What a version is made of: each module trains one part into the draft of a `Workshop`."""
