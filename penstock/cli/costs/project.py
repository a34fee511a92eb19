"""The project's own code, which an installed command line does not carry."""

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.contracts.errors import SettingsError


@contextmanager
def the_project() -> Iterator[None]:
    """Say what to do where the project's settings and prices cannot be imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(
            "prices and settings are part of the project, not of an installed command line: run"
            " this in its folder with 'uv run penstock …'"
        ) from error
