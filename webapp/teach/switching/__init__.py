"""From one version to another: made ready, switched, rolled back, let go."""
