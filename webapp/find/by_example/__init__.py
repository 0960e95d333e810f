"""Search by examples: photos of the library, a picture that is in none, and words beside them."""
