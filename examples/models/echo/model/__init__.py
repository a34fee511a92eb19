"""The echo model."""
