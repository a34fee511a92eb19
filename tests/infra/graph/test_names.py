"""Names that people, AWS and Kubernetes see."""

import pulumi_aws as aws
import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.model_settings import DEPLOYMENT_ID_LENGTH, ModelSettings
from infra.settings.stack_settings import StackSettings
from tests.infra.graph.names import names_against_rules, names_given_twice
from tests.infra.recording import Declared, record


def test_no_name_is_longer_or_stranger_than_its_service_allows(graph: Declared) -> None:
    assert names_against_rules(graph) == []


def test_no_two_resources_have_the_same_name(graph: Declared) -> None:
    assert names_given_twice(graph) == []


def test_the_longest_deployment_id_fits_every_service(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    model_id, name = "m" * 40, "v" * (DEPLOYMENT_ID_LENGTH - 41)
    deployment = settings.models["ocr"].deployments["v2"]
    model = ModelSettings(deployments={name: deployment})
    longest = settings.model_copy(update={"models": {model_id: model}})

    declared = record(lambda: declare_stack(longest, artifacts))

    assert f"{model_id}-{name}" in {
        scaling.inputs["metadata"]["name"] for scaling in declared.of_type(":ScaledObject")
    }
    assert names_against_rules(declared) == []


@pytest.mark.parametrize("name", ["q" * 73, "q" * 60 + ".fifo", "grün"])
def test_a_name_that_a_service_would_refuse_is_found(name: str) -> None:
    declared = record(lambda: aws.sqs.Queue(name))

    assert names_against_rules(declared) == [f"aws:sqs/queue:Queue {name}-0a1b2c3"]


def test_a_name_that_two_resources_share_is_found() -> None:
    def program() -> None:
        aws.sns.Topic("one", name="same")
        aws.sns.Topic("other", name="same")

    assert names_given_twice(record(program)) == ["aws:sns/topic:Topic same"]
