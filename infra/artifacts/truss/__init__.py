"""Truss directories: what they ask for, and what becomes of it in an image and on a laptop."""
