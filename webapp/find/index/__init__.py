"""The index of this process: how it follows the database, and what full text knows of a photo."""
