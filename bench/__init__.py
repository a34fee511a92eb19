"""What the platform costs, beside what nobody can avoid."""
