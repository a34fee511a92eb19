"""The OCR model."""
