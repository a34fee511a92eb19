"""Fixtures of the SDK's tests."""

from tests.unit.client.pauses import pauses

__all__ = ["pauses"]
