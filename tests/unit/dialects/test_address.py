"""Addresses against a catalog."""

import pytest

from penstock.adapters.in_memory import InMemoryCatalog
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.errors import UnknownModelError
from penstock.contracts.submission import Target
from penstock.dialects.address import Address


def a_model(model_id: str, *environments: str) -> Model:
    deployment = Deployment(
        model_id=model_id,
        deployment_id=f"{model_id}.1",
        queue_urls=("q0", "q1", "q2"),
        dead_letter_queue_url="dead",
    )
    return Model(
        model_id=model_id,
        environments=dict.fromkeys(("production", *environments), deployment.deployment_id),
        deployments={deployment.deployment_id: deployment},
    )


def an_address(*readings: tuple[str, str | None], hint: str = "") -> Address:
    targets = tuple(Target(model_id=model, environment=name) for model, name in readings)
    return Address(readings=targets, hint=hint)


def test_the_first_reading_that_leads_somewhere_counts() -> None:
    catalog = InMemoryCatalog([a_model("ocr", "eu-west"), a_model("ocr-eu", "west")])

    found = an_address(("ocr-eu-west", None), ("ocr-eu", "west"), ("ocr", "eu-west"))

    assert found.resolve(catalog).model_id == "ocr-eu"


def test_a_model_without_the_environment_does_not_hide_a_later_reading() -> None:
    catalog = InMemoryCatalog([a_model("ocr", "eu-west"), a_model("ocr-eu")])

    found = an_address(("ocr-eu-west", None), ("ocr-eu", "west"), ("ocr", "eu-west"))

    assert found.resolve(catalog).model_id == "ocr"


def test_a_missing_environment_is_named() -> None:
    catalog = InMemoryCatalog([a_model("ocr")])

    with pytest.raises(UnknownModelError, match=r"^model ocr has no environment staging$"):
        an_address(("ocr-staging", None), ("ocr", "staging")).resolve(catalog)


def test_an_unknown_model_is_named_with_the_hint() -> None:
    with pytest.raises(UnknownModelError, match=r"^model ocr does not exist; try another$"):
        an_address(("ocr", None), hint="try another").resolve(InMemoryCatalog([]))


def test_no_model_at_all_is_said() -> None:
    with pytest.raises(UnknownModelError, match=r"^the address names no model; try another$"):
        an_address(hint="try another").resolve(InMemoryCatalog([]))


def test_an_address_means_only_the_models_it_may_name() -> None:
    assert an_address(("ocr-eu", None), ("ocr", "eu")).may_mean("ocr")
    assert not an_address(("ocr-eu", None), ("ocr", "eu")).may_mean("echo")


def test_an_address_without_a_model_means_any() -> None:
    assert an_address().may_mean("echo")


def test_an_unknown_chain_is_called_a_chain() -> None:
    with pytest.raises(UnknownModelError, match=r"^chain ocr does not exist$"):
        an_address(("chain:ocr", None)).resolve(InMemoryCatalog([]))


def test_a_name_that_no_model_can_have_is_not_even_looked_up() -> None:
    with pytest.raises(UnknownModelError, match="does not exist"):
        an_address(("x" * 3_000, None)).resolve(InMemoryCatalog([a_model("x" * 3_000)]))


def test_a_request_of_a_chain_is_found_under_the_chain_and_under_its_entry_model() -> None:
    assert an_address(("chain:ocr", None)).may_mean("pages", "ocr")
    assert an_address(("pages", None)).may_mean("pages", "ocr")
    assert not an_address(("chain:ocr", None)).may_mean("ocr")
    assert not an_address(("ocr", None)).may_mean("pages", "ocr")
