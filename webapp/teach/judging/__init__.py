"""Whether a model version may take over: what is compared, on which photos, and the verdict."""
