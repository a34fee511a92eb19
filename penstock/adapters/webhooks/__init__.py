"""Calling receivers of webhooks, and nobody else."""
