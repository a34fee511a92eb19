"""Credentials of a model's role are replaced in time, and their absence has a reason."""

import asyncio
from datetime import timedelta

import pytest

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.errors import RoleRefusedError
from penstock.contracts.ports.model_role import RoleCredentials
from runtime_image.dispatcher.model_credentials.keeping import KeptCredentials, NoCredentialsError

ROLE = "arn:aws:iam::123456789012:role/archive"
HOUR = timedelta(hours=1)


class Role:
    """A role that may be assumed until a test says otherwise; time passes with every pause."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.refuses = False
        self.assumed = 0
        self.pauses: list[float] = []
        self.kept = KeptCredentials(self, self.clock, self._pause)

    def __call__(self) -> RoleCredentials:
        if self.refuses:
            raise RoleRefusedError(ROLE, "AccessDenied: no")
        self.assumed += 1
        given = {"secret_access_key": "hush", "session_token": "hush"}
        key_id, end = f"ASIA{self.assumed}", self.clock() + HOUR
        return RoleCredentials(access_key_id=key_id, expires_at=end, **given)

    async def rounds(self, number: int) -> None:
        """Keep the credentials for so many rounds."""
        self._left = number
        keeping = asyncio.create_task(self.kept.keep())
        with pytest.raises(asyncio.CancelledError):
            await keeping

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._left -= 1
        if not self._left:
            raise asyncio.CancelledError
        self.clock.advance(seconds)


async def test_the_role_is_assumed_again_at_half_time() -> None:
    role = Role()
    await role.rounds(3)

    assert role.pauses == [1_800, 1_800, 1_800]
    assert (await role.kept.current()).access_key_id == "ASIA3"


async def test_a_refusal_is_told_and_tried_again_ever_more_seldom() -> None:
    role = Role()
    role.refuses = True
    await role.rounds(8)

    assert role.pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    with pytest.raises(NoCredentialsError, match="archive cannot be assumed: AccessDenied: no"):
        await role.kept.current()


async def test_what_was_given_is_used_to_its_end_when_it_cannot_be_replaced() -> None:
    role = Role()
    await role.rounds(1)
    role.refuses = True
    role.clock.advance(1_800)
    await role.rounds(1)

    role.clock.advance(1_799)
    assert (await role.kept.current()).access_key_id == "ASIA1"
    role.clock.advance(1)
    with pytest.raises(NoCredentialsError, match="AccessDenied"):
        await role.kept.current()


def test_secrets_are_shown_in_no_log() -> None:
    assert "hush" not in repr(Role()())
