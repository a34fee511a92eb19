"""Whom an endpoint name means."""

import pytest

from penstock.adapters.in_memory import InMemoryCatalog
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.errors import UnknownModelError
from penstock.dialects.sagemaker.endpoint import find_endpoint


def a_model(model_id: str, *deployments: str, **environments: str) -> Model:
    return Model(
        model_id=model_id,
        environments=environments,
        deployments={
            name: Deployment(
                model_id=model_id,
                deployment_id=name,
                queue_urls=("p0", "p1", "p2"),
                dead_letter_queue_url="dead",
            )
            for name in deployments
        },
    )


CATALOG = InMemoryCatalog(
    [
        a_model("ocr", "ocr-1", "ocr-eu-2", "v3", production="ocr-1", staging="ocr-eu-2"),
        a_model("ocr-eu", "ocr-eu-9", production="ocr-eu-9"),
    ]
)


@pytest.mark.parametrize(
    ("name", "deployment_id"),
    [
        ("ocr", "ocr-1"),
        ("ocr-production", "ocr-1"),
        ("ocr-staging", "ocr-eu-2"),
        ("ocr-1", "ocr-1"),
        ("ocr-v3", "v3"),
        ("ocr-ocr-1", "ocr-1"),
        ("ocr-eu", "ocr-eu-9"),
        ("ocr-eu-9", "ocr-eu-9"),
        ("ocr-eu-2", "ocr-eu-2"),
    ],
)
def test_a_name_is_a_model_an_environment_or_a_deployment(name: str, deployment_id: str) -> None:
    assert find_endpoint(name, CATALOG).deployment_id == deployment_id


@pytest.mark.parametrize("name", ["nope", "ocr-2", "ocr-", "v3", "OCR", "nope-staging"])
def test_what_leads_nowhere_is_told_in_the_words_of_sagemaker(name: str) -> None:
    with pytest.raises(UnknownModelError, match=rf"^Endpoint {name} of this stack not found\."):
        find_endpoint(name, CATALOG)
