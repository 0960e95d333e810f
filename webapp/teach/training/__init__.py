"""Trainings on the library: each module reads the database and calls `vision.training`."""
