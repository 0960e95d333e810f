"""Trainings: asked for, done one after the other, watched."""
