"""What a typed query means here: its words, its conditions in SQL, its embedding, its chips."""
