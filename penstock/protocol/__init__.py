"""The order in which rows, objects and messages are written, shared by all who end requests."""
