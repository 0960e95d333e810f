"""The search room: query language, vector index, full text, rank fusion and cut-off.

Vectors and ids in, ids and scores out. Django appears in `fulltext` alone.
"""
