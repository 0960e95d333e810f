"""The caption decoder: what it learns from, its training, and what its sentences are worth."""
