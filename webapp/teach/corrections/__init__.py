"""What people say about photos, how it is kept, undone and told."""
