"""Telling callers' endpoints that their requests ended."""
