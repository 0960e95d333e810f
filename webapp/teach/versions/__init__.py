"""Model versions: where they are, which serves, what is known of each."""
