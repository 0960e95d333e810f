"""A tag from examples: a line through embeddings, what to ask next, and how good it is."""
