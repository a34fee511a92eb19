"""The embeddings model."""
