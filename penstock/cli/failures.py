"""Exit codes, and the one place where an expected error becomes one."""

import sys
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from penstock.contracts.errors import CallerError, PenstockError, SettingsError, UnavailableError


class ExitCode(IntEnum):
    """What the shell is told."""

    OK = 0
    ENDED_WITHOUT_SUCCESS = 1
    WRONG_USAGE = 2
    NOT_AUTHORIZED = 3
    NOT_FOUND = 4
    TIMED_OUT = 5
    UNAVAILABLE = 6


EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 a request ended without success, or the command failed;"
    " 2 wrong usage or input, or nothing is configured; 3 not authorised; 4 not found;"
    " 5 timed out waiting; 6 service unavailable, try later."
)


class AwsRefusedError(PenstockError):
    """AWS would not do what an operator's command needs."""


def exit_code(error: PenstockError) -> ExitCode:
    """Return the exit code that says what kind of error it was."""
    from penstock.client import errors as sdk

    codes: dict[type[PenstockError], ExitCode] = {
        sdk.NotAuthorizedError: ExitCode.NOT_AUTHORIZED,
        AwsRefusedError: ExitCode.NOT_AUTHORIZED,
        sdk.NotFoundError: ExitCode.NOT_FOUND,
        sdk.WaitTimeoutError: ExitCode.TIMED_OUT,
        sdk.RateLimitedError: ExitCode.UNAVAILABLE,
        sdk.ServiceError: ExitCode.UNAVAILABLE,
        sdk.ApiUnreachableError: ExitCode.UNAVAILABLE,
        UnavailableError: ExitCode.UNAVAILABLE,
        sdk.BadRequestError: ExitCode.WRONG_USAGE,
        sdk.ConflictError: ExitCode.WRONG_USAGE,
        sdk.TooLargeError: ExitCode.WRONG_USAGE,
        sdk.NotConfiguredError: ExitCode.WRONG_USAGE,
        SettingsError: ExitCode.WRONG_USAGE,
        CallerError: ExitCode.WRONG_USAGE,
    }
    known = (codes[kind] for kind in type(error).__mro__ if kind in codes)
    return next(known, ExitCode.ENDED_WITHOUT_SUCCESS)


class PenstockGroup(TyperGroup):
    """The root command: tells expected errors in one line, without a traceback."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - as typer declares it
        """Run the command line."""
        try:
            return super().main(*args, **extra)
        except PenstockError as error:
            typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
            sys.exit(exit_code(error))
