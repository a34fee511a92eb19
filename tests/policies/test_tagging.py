"""Tags that are missing are filled in, where somebody can know them."""

from typing import Any

import pytest
from google.protobuf import json_format
from pulumi_policy import deserialize

from policies.guardrails.tagging import required_tags
from tests.policies.servicer import UNKNOWN, Given, Pack

QUEUE = "aws:sqs/queue:Queue"
ALL = {"Project": "penstock", "Environment": "staging", "Owner": "ml"}


@pytest.fixture(autouse=True)
def _project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi tells the pack for which project it runs."""
    values = {"PULUMI_PROJECT": "penstock", "PULUMI_STACK": "staging", "PULUMI_DRY_RUN": "true"}
    for key, value in values.items():
        monkeypatch.setenv(key, value)


def remedied(props: dict[str, Any], *, kind: str = QUEUE, owner: str = "ml") -> Any:
    """Return the properties that the engine goes on with; None if they stay as they are."""
    pack = Pack([required_tags], {"required-tags": {"owner": owner}})
    remediations = pack.remedied(Given(kind, "work", props, stack="staging"))
    assert not any(remediation.diagnostic for remediation in remediations)
    return json_format.MessageToDict(remediations[0].properties) if remediations else None


def test_missing_tags_are_filled_in() -> None:
    assert remedied({"delaySeconds": 5}) == {"delaySeconds": 5, "tags": ALL}


def test_tags_that_are_there_stay() -> None:
    assert remedied({"tags": {"Owner": "search", "Team": "x"}}) == {
        "tags": {**ALL, "Owner": "search", "Team": "x"}
    }


def test_whole_tags_change_nothing() -> None:
    assert remedied({"tags": ALL}) is None


def test_tags_that_nobody_knows_yet_are_not_overwritten() -> None:
    assert remedied({"tags": UNKNOWN}) is None
    changed = remedied({"tags": {"Owner": UNKNOWN}})
    assert changed == {"tags": {**ALL, "Owner": UNKNOWN}}


def test_an_owner_is_not_made_up() -> None:
    filled = remedied({}, owner="")

    assert filled == {"tags": {"Project": "penstock", "Environment": "staging"}}
    (finding,) = Pack([required_tags]).findings([Given(QUEUE, "work", filled)])
    assert finding.text.startswith("work: add the tags Owner")
    assert finding.level == "mandatory"


def test_what_carries_no_tags_is_left_alone() -> None:
    assert remedied({"policy": "{}"}, kind="aws:iam/rolePolicy:RolePolicy") is None


def test_secrets_stay_secret() -> None:
    secret = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": "hush"}

    changed = remedied({"kmsMasterKeyId": secret, "tags": {"Team": secret}})

    assert changed == {"kmsMasterKeyId": secret, "tags": {**ALL, "Team": secret}}
