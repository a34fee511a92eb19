"""Other servers of models, each in an environment of its own, under the same load."""
