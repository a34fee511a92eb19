"""Requests that wait for the model server, gathered into calls that carry several."""
