"""A proxy between dispatchers and the emulated AWS, that interferes."""
