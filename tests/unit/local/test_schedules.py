import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import EndpointConnectionError

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.dispatch import materialise
from penstock.local.materialise.registration import MaterialiseError, Registration
from penstock.local.materialise.resources.schedules import SCHEDULE, Schedule

SWEEPER = "arn:aws:lambda:us-east-1:000000000000:function:sweeper:live"


def declared(expression: str = "rate(1 minute)") -> dict[str, Any]:
    return {
        "scheduleExpression": expression,
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": SWEEPER, "roleArn": "arn:role"},
    }


@pytest.fixture
def aws() -> MagicMock:
    return MagicMock(spec=EmulatedAws, lambda_=MagicMock())


@pytest.mark.parametrize(
    ("expression", "every"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(2 hours)", timedelta(hours=2)),
    ],
)
def test_a_registered_rate_is_followed(aws: MagicMock, expression: str, every: timedelta) -> None:
    made = materialise(aws, Registration(SCHEDULE, "sweeper", declared(expression)))
    assert Schedule.of(made.outputs) == Schedule(SWEEPER, every)


def test_what_is_no_rate_is_refused(aws: MagicMock) -> None:
    with pytest.raises(MaterialiseError, match=r"cron.*only rate"):
        materialise(aws, Registration(SCHEDULE, "sweeper", declared("cron(0 8 * * ? *)")))


async def test_a_function_is_called_again_and_again_even_if_a_call_fails(aws: MagicMock) -> None:
    called = asyncio.Event()
    loop = asyncio.get_running_loop()
    refused = EndpointConnectionError(endpoint_url="http://emulator")
    answers = iter([refused, ValueError("nobody foresaw it"), None, None])

    def invoke(**_: object) -> None:
        answer = next(answers, None)
        if isinstance(answer, Exception):
            raise answer
        loop.call_soon_threadsafe(called.set)

    aws.lambda_.invoke.side_effect = invoke
    following = asyncio.create_task(Schedule(SWEEPER, timedelta(milliseconds=1)).follow(aws))
    await asyncio.wait_for(called.wait(), 10)
    following.cancel()
    aws.lambda_.invoke.assert_called_with(
        FunctionName=SWEEPER, InvocationType="Event", Payload=b"{}"
    )
