"""Built parts that nobody built, as for the tests of infra."""

from tests.infra.conftest import artifacts

__all__ = ["artifacts"]
