"""In what words an unexpected end is told."""

from penstock.contracts.errors import PenstockError


def explained(error: BaseException) -> str:
    """Return an error's text; where it was not raised on purpose, its kind comes first."""
    if isinstance(error, BaseExceptionGroup):  # of a TaskGroup, which says nothing itself
        return "; ".join(explained(one) for one in error.exceptions)
    if isinstance(error, PenstockError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
