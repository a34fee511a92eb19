"""Run in Truss's own environment: prints the keys of its config.yaml, nested ones too, as JSON."""

import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

import pydantic
from truss.base.truss_config import TrussConfig  # type: ignore[import-not-found]  # see above


def keys_of(model: type[pydantic.BaseModel], block: str, seen: tuple[type, ...]) -> Iterator[str]:
    """Yield the keys of a model, and below each the keys of the models that its values are."""
    if issubclass(model, pydantic.RootModel):
        yield from below(model.model_fields["root"].annotation, block, seen)
        return
    for name, field in model.model_fields.items():
        yield f"{block}{name}"
        yield from below(field.annotation, f"{block}{name}.", seen)
    for name in model.model_computed_fields:
        yield f"{block}{name}"


def below(annotation: Any, block: str, seen: tuple[type, ...]) -> Iterator[str]:
    """Yield the keys of every model in an annotation."""
    if inspect.isclass(annotation) and issubclass(annotation, pydantic.BaseModel):
        if annotation not in seen:
            yield from keys_of(annotation, block, (*seen, annotation))
        return
    for argument in typing.get_args(annotation):
        yield from below(argument, block, seen)


if __name__ == "__main__":
    print(json.dumps(sorted(set(keys_of(TrussConfig, "", (TrussConfig,))))))  # noqa: T201 - its output
