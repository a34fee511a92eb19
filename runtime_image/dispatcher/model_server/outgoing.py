"""What is sent to the model server for a request: method, address and headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from yarl import URL

from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from runtime_image.dispatcher.model_server.presets import Preset
from runtime_image.dispatcher.model_server.server import ModelFaultError

_NOT_HANDED_ON = {
    # What concerns one connection only (RFC 9110, 7.6.1).
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade",
    # What is ours to say.
    "accept-encoding", "content-length", "content-type", "expect", "host",
    REQUEST_ID_HEADER.lower(),
}  # fmt: skip

_VISIBLE = re.compile(r"[!-~]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True)
class Outgoing:
    """An HTTP call without its body."""

    method: str
    url: URL
    headers: Mapping[str, str]


class Outbox:
    """Addresses calls to one model server."""

    def __init__(self, base_url: str, preset: Preset) -> None:
        self._base_url = base_url.rstrip("/")
        self._preset = preset
        self._predictions = self._address(preset.predict_path, "")

    def outgoing(
        self,
        request_id: RequestId,
        content_type: str,
        call: ContainerCall | None,
        traceparent: str | None = None,
    ) -> Outgoing:
        """Return the call of a request: as its caller made it, or a plain prediction.

        Raises:
            ModelFaultError: the caller's path, query or headers cannot be sent.
        """
        ours = {
            # On one machine, packing costs more than it saves.
            "Accept-Encoding": "identity",
            "Content-Type": content_type,
            REQUEST_ID_HEADER: request_id,
            **({"traceparent": traceparent} if traceparent else {}),
        }
        if call is None:
            return Outgoing("POST", self._predictions, {**self._preset.headers, **ours})
        url = self._address(self._preset.path_of(call.method, call.path), call.query)
        wishes = _merged(self._preset.headers, _handed_on(call.headers))
        if traceparent:  # what a caller's own trace added belongs to that trace
            wishes = {name: value for name, value in wishes.items() if name.lower() != "tracestate"}
        return Outgoing(call.method, url, _merged(wishes, ours))

    def _address(self, path: str, query: str) -> URL:
        # Visible characters only: others would end the line that they stand in.
        if not _VISIBLE.fullmatch(path + query) or "#" in path + query:
            raise _unsendable("path and query must be percent-encoded")
        if any(unquote(segment) in {".", ".."} for segment in path.split("/")):
            raise _unsendable("a path must not climb")
        # The slash keeps a path from changing the host: "http://127.0.0.1:8080" + "@elsewhere".
        text = f"{self._base_url}/{path.removeprefix('/')}"
        return URL(f"{text}?{query}" if query else text, encoded=True)


def _handed_on(headers: Mapping[str, str]) -> dict[str, str]:
    named_by_connection = {
        option.strip().lower()
        for name, value in headers.items()
        if name.lower() == "connection"
        for option in value.split(",")
    }
    handed_on = {
        name: value
        for name, value in headers.items()
        if name.lower() not in _NOT_HANDED_ON | named_by_connection
    }
    for name, value in handed_on.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise _unsendable(f"header {name!r} is not one of HTTP")
    return handed_on


def _merged(defaults: Mapping[str, str], wishes: Mapping[str, str]) -> dict[str, str]:
    wished = {name.lower() for name in wishes}
    return {n: v for n, v in defaults.items() if n.lower() not in wished} | dict(wishes)


def _unsendable(reason: str) -> ModelFaultError:
    return ModelFaultError(
        FaultCode.MODEL_INVALID_INPUT, f"The call cannot be made to the model server: {reason}."
    )
