"""No call of a port is forgotten: each meets every fault, or is named here with the reason."""

import inspect
import pkgutil
from importlib import import_module
from typing import Protocol

import pytest

import penstock.contracts.ports
from tests.faults.rehearsal import calls_of
from tests.faults.scenarios import SCENARIOS

PORTS = {
    "Catalog": "catalog",
    "DeadLetterQueue": "dead_letters",
    "Notifier": "notifier",
    "PayloadStore": "payloads",
    "RequestQueue": "queue",
    "RequestStore": "requests",
    "ResultStore": "results",
    "SigningSecrets": "secrets",
    "WebhookQueue": "webhooks",
    "WebhookSender": "receiver",
}
"""By which name the calls of a port are told apart here."""

NOT_ON_THE_WAY = {
    "ApiKeyStore": "read before a request is accepted; it decides nothing afterwards",
    "RateLimit": "asked before a request is accepted; a refusal leaves nothing behind",
    "SigningSecretStore": "an operator's",
}

NOT_OF_A_REQUEST = {
    "payloads.may_read": "compares names, makes no call",
    "payloads.upload": "signs locally, makes no call",
    "queue.send_many": "of batches: their items are sent as with `queue.send`",
    "requests.count_open": "asked before a request is accepted; a refusal leaves nothing behind",
    "requests.find_by_caller_id": "a caller looks; nothing changes",
    "requests.find_many": "a caller looks; nothing changes",
    "requests.list_page": "a caller looks; nothing changes",
    "results.url": "signs locally, makes no call",
    "webhooks.send": "an operator's; otherwise SNS sends",
}


def _ports() -> dict[str, type]:
    modules = pkgutil.iter_modules(penstock.contracts.ports.__path__)
    return {
        name: port
        for module in modules
        for name, port in inspect.getmembers(
            import_module(f"penstock.contracts.ports.{module.name}"), inspect.isclass
        )
        if Protocol in port.__bases__
    }


def test_every_port_is_in_the_simulation_or_off_the_way_of_a_request() -> None:
    assert set(_ports()) == PORTS.keys() | NOT_ON_THE_WAY.keys()


@pytest.mark.usefixtures("virtual_time")
def test_every_call_of_every_port_meets_every_fault() -> None:
    declared = {
        f"{PORTS[name]}.{method}"
        for name, port in _ports().items()
        if name in PORTS
        for method, _ in inspect.getmembers(port, inspect.isfunction)
        if not method.startswith("_")
    }
    met = {call for scenario in SCENARIOS for call in calls_of(scenario)}
    assert declared - met == NOT_OF_A_REQUEST.keys()
    assert met <= declared
