"""Faults of whole processes on the local stack: killed, frozen, and cut off from AWS."""
