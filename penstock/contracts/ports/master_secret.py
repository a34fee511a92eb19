"""What the secrets of access keys are derived from."""

from collections.abc import Callable

MasterSecret = Callable[[], bytes]
"""Returns it, up to some minutes old.

Raises `UnavailableError`, and `SettingsError` if there is none.
"""
