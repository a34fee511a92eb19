"""Reading an `InvokeEndpointAsync` call; every constraint it breaks is told at once."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.sagemaker import MEMBER_HEADERS, InvokeEndpointAsync
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.input_location import read_input_location

_CONSTRAINTS = {
    "string_too_short": "Member must have length greater than or equal to {min_length}",
    "string_too_long": "Member must have length less than or equal to {max_length}",
    "bytes_too_long": "Member must have length less than or equal to {max_length}",
    "string_pattern_mismatch": "Member must satisfy regular expression pattern: {pattern}",
    "greater_than_equal": "Member must have value greater than or equal to {ge}",
    "less_than_equal": "Member must have value less than or equal to {le}",
    "int_parsing": "Member must be an integer",
}
_NOT_SHOWN = {"body", "customAttributes"}
_LONGEST_SHOWN_VALUE = 128


def read_invocation(call: HttpCall) -> InvokeEndpointAsync:
    """Return what the caller sends.

    Raises:
        InvalidSubmissionError: a member breaks its constraint, or there is not exactly one input;
            the text is the one that clients of SageMaker know.
    """
    members = _members(call)
    violations: dict[str, str] = {}
    try:
        invocation = InvokeEndpointAsync.model_validate(members)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            member = str(detail["loc"][0])
            template = _CONSTRAINTS.get(detail["type"], detail["msg"])
            violations[member] = template.format(**detail.get("ctx", {}))
    for member, constraint in _further_violations(members).items():
        violations.setdefault(member, constraint)
    if violations:
        raise InvalidSubmissionError("", _told(members, violations))
    return invocation


def _members(call: HttpCall) -> dict[str, Any]:
    sent = {
        member: call.headers[header.lower()]
        for member, header in MEMBER_HEADERS.items()
        if header.lower() in call.headers
    }
    return {"endpointName": call.path_parameters["endpoint_name"], "body": call.body, **sent}


def _further_violations(members: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong beyond the constraints of single members."""
    found: dict[str, str] = {}
    location: str | None = members.get("inputLocation")
    if location is None and not members["body"]:
        found["inputLocation"] = "Member must not be null unless there is a body"
    elif location is not None and members["body"]:
        found["body"] = "Member must be empty when there is an InputLocation: send one of the two"
    if location is not None:
        try:
            read_input_location(location)
        except ValueError as error:
            found["inputLocation"] = f"Member must be an object in S3: {error}"
    extension: str | None = members.get("s3OutputPathExtension")
    if extension is not None and {"", ".", ".."} & set(_segments(extension)):
        found["s3OutputPathExtension"] = "Member must have no empty segment, '.' or '..'"
    return found


def _segments(extension: str) -> list[str]:
    return extension.removeprefix("/").removesuffix("/").split("/")


def _told(members: Mapping[str, Any], violations: Mapping[str, str]) -> str:
    told = [
        f"{_shown(member, members.get(member))} at '{member}' failed to satisfy constraint:"
        f" {constraint}"
        for member, constraint in violations.items()
    ]
    count = "1 validation error" if len(told) == 1 else f"{len(told)} validation errors"
    return f"{count} detected: {'; '.join(told)}"


def _shown(member: str, value: object) -> str:
    if member in _NOT_SHOWN:
        return "Value"
    if value is None:
        return "Value null"
    text = str(value)
    cut = text if len(text) <= _LONGEST_SHOWN_VALUE else f"{text[:_LONGEST_SHOWN_VALUE]}..."
    return f"Value '{cut}'"
