"""Both clients offer the same."""

import inspect
from collections.abc import Mapping

import pytest

from penstock.client import AsyncClient, AsyncHandle, Client, Handle


def surface_of(kind: type) -> Mapping[str, list[tuple[str, object, object]]]:
    """Return the public methods with name, kind and default of each parameter."""
    return {
        name: [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }


@pytest.mark.parametrize(("one", "other"), [(Client, AsyncClient), (Handle, AsyncHandle)])
def test_both_clients_have_the_same_surface(one: type, other: type) -> None:
    assert surface_of(one) == surface_of(other)


@pytest.mark.parametrize("kind", [AsyncClient, AsyncHandle])
def test_what_asks_the_api_is_awaited(kind: type) -> None:
    of_no_call = {"__init__", "handle"}
    for name in surface_of(kind).keys() - of_no_call:
        method = getattr(kind, name)
        assert inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method), name
