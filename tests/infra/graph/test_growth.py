"""A stack of fifty deployments is the stack of one, and fifty times the same beside it."""

from collections import Counter

import pulumi_aws as aws
import pytest

from infra.artifacts.artifacts import Artifacts
from tests.infra.graph.names import names_against_rules, names_given_twice
from tests.infra.graph.references.arns import unknown_queues
from tests.infra.graph.references.inputs import strays
from tests.infra.graph.references.kubernetes import homeless_pods, missing_objects
from tests.infra.graph.sizes import oversized
from tests.infra.growth import declared_stack_of
from tests.infra.recording import Declared, record

SIZE = 50
GROWING = {"aws:iam/policy:Policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"}
"""What functions have more of where deployments name more buckets, by their lengths."""


@pytest.fixture(scope="module")
def fifty(artifacts: Artifacts) -> Declared:
    return declared_stack_of(SIZE, artifacts)


def _counted(declared: Declared) -> tuple[Counter[str], Counter[str]]:
    """Return how many there are of each type: of single deployments, and of all together."""
    each: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for resource in declared:
        counts = each if "model-" in resource.name else shared
        counts[resource.type] += resource.type not in GROWING
    return each, shared


def test_resources_grow_with_deployments_and_by_nothing_else(
    fifty: Declared, artifacts: Artifacts
) -> None:
    each_of_five, shared_by_five = _counted(declared_stack_of(5, artifacts))
    each_of_fifty, shared_by_fifty = _counted(fifty)

    assert shared_by_fifty == shared_by_five
    assert each_of_fifty == Counter({kind: n * 10 for kind, n in each_of_five.items()})
    assert each_of_fifty.total() < 32 * SIZE


def test_nothing_of_fifty_deployments_collides_or_dangles(fifty: Declared) -> None:
    assert names_given_twice(fifty) == []
    assert names_against_rules(fifty) == []
    assert strays(fifty) == []
    assert unknown_queues(fifty) == set()
    assert missing_objects(fifty) == set()
    assert homeless_pods(fifty) == set()


def test_no_document_grows_beyond_what_aws_takes(fifty: Declared) -> None:
    assert oversized(fifty) == []


def test_a_role_with_too_much_to_say_is_found() -> None:
    def program() -> None:
        role = aws.iam.Role("r", assume_role_policy="{}")
        for name in ("one", "other"):
            aws.iam.RolePolicy(name, role=role.name, policy=f'{{"Sid": "{"s" * 6_000}"}}')

    (found,) = oversized(record(program))
    assert found == "r-0a1b2c3 own policies: 12020 where 10240 are allowed"
