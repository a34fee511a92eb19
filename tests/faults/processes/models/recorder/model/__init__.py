"""A model that writes down what it was asked."""
