"""The base of every settings block: a wrong value or an unknown key is named by its full path."""

import difflib
import types
from typing import Annotated, Any, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from penstock.contracts.errors import SettingsError

Location = tuple[int | str, ...]


class Settings(BaseModel):
    """A block of settings; a key that nobody reads is refused, so a typo is heard."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def checked(cls, values: object, *, root: str = "settings") -> Self:
        """Return `values` as settings.

        Raises:
            SettingsError: something is missing, unknown or out of range; each line names one key.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = [_explained(cls, root, detail) for detail in error.errors()]
            raise SettingsError("\n".join(dict.fromkeys(found))) from error


def _explained(root_type: type[BaseModel], root: str, detail: ErrorDetails) -> str:
    where = detail["loc"]
    key = ".".join([root, *(str(part) for part in where if part != "[key]")])
    match detail["type"]:
        case "extra_forbidden":
            return f"{key}: there is no such key{_suggestion(root_type, where)}"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            return f"{key}: {detail['ctx']['error']}"
        case _:
            return f"{key}: {detail['msg']} (got {detail['input']!r})"


def _suggestion(root_type: type[BaseModel], where: Location) -> str:
    known = _keys_at(root_type, where[:-1])
    close = difflib.get_close_matches(str(where[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(known)}"


def _keys_at(root_type: type[BaseModel], where: Location) -> list[str]:
    """Return the keys known at a place, found by walking the annotations of the blocks."""
    here: Any = root_type
    for part in where:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = _plain(here.model_fields[str(part)].annotation)
        else:  # a mapping or a sequence: its values are in its last argument that is a type
            here = _plain(next(a for a in reversed(get_args(here)) if a is not Ellipsis))
    return list(here.model_fields)


def _plain(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return next(_plain(a) for a in get_args(annotation) if a is not type(None))
    return annotation
