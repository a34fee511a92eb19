"""What only webhooks need of AWS."""
