"""Writes `docs/settings.md`: every key of a stack file, as the types have it."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from infra.settings.stack_settings import StackSettings

Schema = Mapping[str, Any]

_HEAD = """\
# Settings of a stack

Written from the types by `make docs`. All keys stand below `config.penstock:settings` in
`Pulumi.<stack>.yaml`; a key that nobody reads stops the deployment, with its name.
"""
_RANGES = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minProperties": "at least {}",
    "pattern": "`{}`",
}


class Block(NamedTuple):
    """The keys below one path."""

    path: str
    schema: Schema


def reference() -> str:
    """Return the page."""
    whole = StackSettings.model_json_schema()
    blocks = list(_blocks("", whole, whole.get("$defs", {})))
    return "\n".join([_HEAD, *(_rendered(block, whole.get("$defs", {})) for block in blocks)])


def _blocks(path: str, schema: Schema, named: Mapping[str, Schema]) -> Iterator[Block]:
    yield Block(path, schema)
    for key, value in schema["properties"].items():
        for suffix, inner in _objects_within(value, named):
            yield from _blocks(f"{path}.{key}{suffix}".lstrip("."), inner, named)


def _objects_within(schema: Schema, named: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """Yield the blocks that a value holds, with what leads to each."""
    schema = _resolved(schema, named)
    if "properties" in schema:
        yield "", schema
    for option in schema.get("anyOf", ()):
        yield from _objects_within(option, named)
    if isinstance(items := schema.get("items"), Mapping):
        yield from ((f"[]{suffix}", inner) for suffix, inner in _objects_within(items, named))
    for inner_schema in _values_of(schema):
        for suffix, inner in _objects_within(inner_schema, named):
            yield f".<name>{suffix}", inner


def _values_of(schema: Schema) -> list[Schema]:
    """Return what a mapping by free names may hold."""
    found = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    return [value for value in found if isinstance(value, Mapping)]


def _rendered(block: Block, named: Mapping[str, Schema]) -> str:
    required = block.schema.get("required", ())
    rows = [
        f"| `{key}` | {_type(value, named)} | {_default(value, key in required)} "
        f"| {_text(_description(value, named))} |"
        for key, value in block.schema["properties"].items()
    ]
    title = f"## `{block.path}`" if block.path else "## The stack"
    head = ["| key | value | default | meaning |", "|---|---|---|---|"]
    return "\n".join([title, _text(block.schema.get("description", "")), "", *head, *rows, ""])


def _resolved(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = named[schema["$ref"].rpartition("/")[2]]
    return schema


def _description(schema: Schema, named: Mapping[str, Schema]) -> str:
    own: str = schema.get("description", "")
    return own or _resolved(schema, named).get("description", "")


def _type(schema: Schema, named: Mapping[str, Schema]) -> str:
    schema = _resolved(schema, named)
    if "properties" in schema:
        return "block"
    if options := schema.get("anyOf"):
        kinds = (_type(option, named) for option in options if option.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if "const" in schema:
        return f"`{schema['const']}`"
    if values := schema.get("enum"):
        return ", ".join(f"`{value}`" for value in values)
    if isinstance(items := schema.get("items"), Mapping):
        kind = f"list of {_type(items, named)}"
    elif values := _values_of(schema):
        kind = f"{_type(values[0], named)} by name"
    else:
        kind = str(schema.get("type", "any"))
    ranges = [text.format(schema[name]) for name, text in _RANGES.items() if name in schema]
    return _text(", ".join([kind, *ranges]))


def _default(schema: Schema, is_required: bool) -> str:  # noqa: FBT001 - it is the schema's word
    if is_required:
        return "required"
    value = schema.get("default")
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, Mapping):
        return "as below"
    values = value if isinstance(value, list) else [value]
    return ", ".join(f"`{str(v).lower() if isinstance(v, bool) else v}`" for v in values)


def _text(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
