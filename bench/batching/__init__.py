"""A real model that takes batches, and what batches bring."""
