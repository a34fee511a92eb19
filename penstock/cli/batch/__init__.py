"""Commands for many requests at once: a file of lines in, a file of results out."""
