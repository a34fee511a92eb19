"""Gives a model the credentials of its own role, and of no other."""
