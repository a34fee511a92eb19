"""Reads scanned pages with the OCR model on the local stack and checks every delivery."""
