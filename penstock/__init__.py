"""Penstock: asynchronous GPU inference that its users own."""
