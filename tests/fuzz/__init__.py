"""Random calls of everything that the API's document describes."""
