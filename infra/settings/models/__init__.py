"""What can be said of models, in parts."""
