"""Telling callers about their requests."""
