"""Calling every documented operation with random data, right and wrong, and judging the answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from penstock.dialects.openapi import document
from tests.fuzz.known import Known

CONFORMANCE: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""No answer that is not documented, and every body as its schema says."""

CHECKS: list[CheckFunction] = [not_a_server_error, *CONFORMANCE]


Operation = APIOperation[Any, Any, Any, Any]


def operations() -> Sequence[Operation]:
    """Return all that the document describes."""
    schema = schemathesis.openapi.from_dict(document())
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@dataclass
class Campaign:
    """Calls of one API."""

    base_url: str
    session: requests.Session
    api_key: str
    known: Known
    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    """How often each operation answered what."""

    def attack(
        self, operation: Operation, mode: GenerationMode, examples: int, chance: int
    ) -> None:
        """Call an operation so many times.

        Raises:
            schemathesis.core.failures.FailureGroup: an answer was wrong; it says how to repeat it.
        """

        @seed(chance)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def call(case: Case[Any], data: st.DataObject) -> None:
            self._call(case, data)

        try:
            call()
        except Unsatisfiable:
            # An operation that takes nothing has no wrong calls.
            if mode is GenerationMode.POSITIVE:
                raise

    def _call(self, case: Case[Any], data: st.DataObject) -> None:
        self.known.put_into(case, data)
        headers = {
            "Authorization": f"Bearer {self.api_key}",
            **self.known.host(case, data),
        }
        response = case.call(
            base_url=self.base_url,
            session=self.session,
            headers=headers,
            allow_redirects=False,
            timeout=60,
        )
        counts = self.statuses.setdefault(str(case.operation.label), {})
        counts[response.status_code] = counts.get(response.status_code, 0) + 1
        self.known.learn_from(response)
        case.validate_response(response, checks=CHECKS, headers=headers)


def attack_for(campaign: Campaign, seconds: float, examples: int) -> list[BaseException]:
    """Attack all operations again and again; return the first failure of each."""
    deadline = time.monotonic() + seconds
    failures: dict[str, BaseException] = {}
    chance = 0
    while time.monotonic() < deadline:
        chance += 1
        for operation in operations():
            for mode in GenerationMode:
                if time.monotonic() >= deadline or operation.label in failures:
                    continue
                try:
                    campaign.attack(operation, mode, examples, chance)
                except (FailureGroup, OSError) as error:
                    failures[operation.label] = error
    return list(failures.values())
