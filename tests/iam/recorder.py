"""Every call that botocore makes or presigns, and whose process it is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore import handlers
from botocore.model import OperationModel

_ABSENT = {"404", "NoSuchKey"}
_LOOKED_AT = {
    "Bucket",
    "IfMatch",
    "IndexName",
    "Key",
    "QueueUrl",
    "RequestItems",
    "RoleArn",
    "SecretId",
    "TableName",
    "TopicArn",
}
_NOBODY = ""
_acting: ContextVar[str | None] = ContextVar("_acting", default=None)


@dataclass
class Call:
    """One call of an API."""

    process: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    """Those that say what is used."""

    found_nothing: bool = False
    """Whether the answer was that there is no such object."""

    @property
    def to_what(self) -> tuple[str, str, str]:
        """Process, operation, and bucket or queue."""
        place = self.parameters.get("Bucket") or self.parameters.get("QueueUrl", "")
        return self.process, self.operation, place


@dataclass
class Recorder:
    """Writes down what processes ask of AWS while it is attached."""

    calls: list[Call] = field(default_factory=list)
    to_refuse: list[tuple[str, str, str]] = field(default_factory=list)
    """Process, operation, and bucket or queue: the next such call is answered `SlowDown`."""

    when_taken: dict[str, Callable[[], object]] = field(default_factory=dict)
    """By key: what happens once somebody was told that an object lies there already."""

    _main: str = _NOBODY

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Listen to every client that is made inside."""
        hooks = [
            ("provide-client-params", self._asked),
            ("before-call", self._answered_busy),
            ("after-call", self._answered),
        ]
        handlers.BUILTIN_HANDLERS.extend(hooks)
        try:
            yield
        finally:
            for hook in hooks:
                handlers.BUILTIN_HANDLERS.remove(hook)

    @contextmanager
    def acting_as(self, process: str) -> Iterator[None]:
        """Take what is called inside for calls of `process`, in threads that it starts as well."""
        token, main = _acting.set(process), self._main
        self._main = main or process
        try:
            yield
        finally:
            self._main = main
            _acting.reset(token)

    @contextmanager
    def looking_on(self) -> Iterator[None]:
        """Take what is called inside for calls of the test."""
        token = _acting.set(_NOBODY)
        try:
            yield
        finally:
            _acting.reset(token)

    @property
    def _process(self) -> str:
        # A thread that was not given the context works for the process that was started.
        acting = _acting.get()
        return self._main if acting is None else acting

    def _asked(
        self, params: Mapping[str, Any], model: OperationModel, context: dict[str, Any], **_: object
    ) -> None:
        if self._process:
            looked_at = {name: params[name] for name in _LOOKED_AT & params.keys()}
            service = model.service_model.service_name
            call = Call(self._process, service, model.name, looked_at)
            self.calls.append(call)
            context["recorded_call"] = call

    def _answered_busy(
        self, context: Mapping[str, Any], **_: object
    ) -> tuple[SimpleNamespace, Mapping[str, Any]] | None:
        call: Call | None = context.get("recorded_call")
        if call is None or call.to_what not in self.to_refuse:
            return None
        self.to_refuse.remove(call.to_what)
        error = {"Code": "SlowDown", "Message": "Please reduce your request rate."}
        answer = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 503}}
        return SimpleNamespace(status_code=503), answer

    def _answered(self, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
        call: Call | None = context.get("recorded_call")
        if call is None:
            return
        code = parsed.get("Error", {}).get("Code")
        call.found_nothing = code in _ABSENT
        if code == "PreconditionFailed" and call.parameters["Key"] in self.when_taken:
            with self.looking_on():
                self.when_taken.pop(call.parameters["Key"])()
