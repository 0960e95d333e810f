"""Tags that people teach from examples."""
