"""A model that says whom it worked on together."""
