"""The protocol under crashes, lost answers, stalled workers and lost messages."""
