"""The ports twice: over AWS, and over dictionaries with a fake clock."""
