"""The row, the messages and the dead letters of requests."""
