"""Whom a Baseten call addresses."""

import pytest

from penstock.contracts.submission import Target
from penstock.dialects.baseten.address import read_address
from tests.unit.dialects.calls import a_call

DOMAIN = "api.example.com"


def readings(route: str, label: str | None = None, **path_parameters: str) -> list[Target]:
    hosts = (f"{label}.{DOMAIN}",) if label else (DOMAIN,)
    return list(read_address(a_call(route, hosts=hosts, path_parameters=path_parameters)).readings)


@pytest.mark.parametrize(
    ("path", "parameters", "target"),
    [
        ("/production", {}, {"environment": "production"}),
        ("/development", {}, {"environment": "development"}),
        ("/environments/{environment}", {"environment": "eu"}, {"environment": "eu"}),
        ("/deployment/{deployment_id}", {"deployment_id": "d1"}, {"deployment_id": "d1"}),
    ],
)
def test_the_path_names_the_target(
    path: str, parameters: dict[str, str], target: dict[str, str]
) -> None:
    expected = [Target(model_id="ocr", **target)]

    in_path = f"/models/{{model_id}}{path}/async_predict"
    assert readings(in_path, model_id="ocr", **parameters) == expected
    assert readings(f"{path}/async_predict", "model-ocr", **parameters) == expected


def test_the_model_in_the_path_wins_over_the_host() -> None:
    route = "/models/{model_id}/production/async_predict"
    found = readings(route, "model-echo", model_id="ocr")
    assert found == [Target(model_id="ocr", environment="production")]


def test_a_bare_path_reads_the_whole_label_first_and_then_the_longest_model_id() -> None:
    assert readings("/async_predict", "model-ocr-eu-west") == [
        Target(model_id="ocr-eu-west"),
        Target(model_id="ocr-eu", environment="west"),
        Target(model_id="ocr", environment="eu-west"),
    ]


def test_a_host_that_names_an_environment_takes_bare_paths_only() -> None:
    address = read_address(a_call("/production/async_predict", hosts=(f"model-ocr-eu.{DOMAIN}",)))
    assert address.readings == (Target(model_id="ocr-eu", environment="production"),)
    assert "leave out" in address.hint


def test_development_is_no_environment_of_a_host() -> None:
    assert readings("/async_predict", "model-ocr-development") == [
        Target(model_id="ocr-development")
    ]


@pytest.mark.parametrize("label", ["model-ocr-", "model--ocr", f"model-ocr-{'e' * 41}"])
def test_what_is_no_dns_label_is_no_environment(label: str) -> None:
    assert readings("/async_predict", label) == [Target(model_id=label.removeprefix("model-"))]


@pytest.mark.parametrize("host", ["Model-OCR.api.example.com", "model-ocr.localhost:8443"])
def test_neither_the_case_nor_the_port_of_a_host_matters(host: str) -> None:
    address = read_address(a_call("/async_predict", hosts=("127.0.0.1", host)))
    assert address.readings == (Target(model_id="ocr"),)


@pytest.mark.parametrize("label", ["abc123", "model-", "chain-", "chains-ocr"])
def test_a_host_without_a_model_is_told_how_to_name_one(label: str) -> None:
    address = read_address(a_call("/async_predict", hosts=(f"{label}.{DOMAIN}",)))
    assert address.readings == ()
    assert "/models/{model_id}" in address.hint


def test_a_chain_is_addressed_like_a_model() -> None:
    in_path = "/chains/{chain_id}/environments/{environment}/async_run_remote"
    assert readings(in_path, chain_id="ocr", environment="eu") == [
        Target(model_id="chain:ocr", environment="eu")
    ]
    assert readings("/production/async_run_remote", "chain-ocr") == [
        Target(model_id="chain:ocr", environment="production")
    ]
    assert readings("/async_run_remote", "chain-ocr-eu") == [
        Target(model_id="chain:ocr-eu"),
        Target(model_id="chain:ocr", environment="eu"),
    ]
