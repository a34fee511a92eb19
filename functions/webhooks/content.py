"""What a webhook says."""

from dataclasses import dataclass
from datetime import datetime

from pydantic_core import PydanticSerializationError

from penstock.contracts.errors import ObjectGoneError
from penstock.contracts.json_text import NotJsonError, parse_exact_json
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.dialects.baseten.answers import webhook_body
from penstock.dialects.media_type import is_json


@dataclass(frozen=True, kw_only=True)
class WebhookContent:
    """Writes bodies: with the result inside, or with a URL for one that has no place there."""

    results: ResultStore
    max_body_bytes: int
    result_url_seconds: int

    def body(self, request: AsyncRequest, now: datetime) -> bytes:
        """Return the bytes to sign and to send at `now`.

        Raises:
            UnavailableError: the result cannot be read now.
        """
        result = request.result
        if request.state is not RequestState.SUCCEEDED or result is None:
            return webhook_body(request, None, now).encoded()
        body = self._with_result(request, result, now)
        if body is not None and len(body) <= self.max_body_bytes:
            return body
        url = self.results.url(result, self.result_url_seconds)
        return webhook_body(request, None, now, url).encoded()

    def _with_result(
        self, request: AsyncRequest, result: StoredObject, now: datetime
    ) -> bytes | None:
        if not is_json(result.content_type) or result.size_bytes > self.max_body_bytes:
            return None
        try:
            data = parse_exact_json(self.results.read(result))
            return webhook_body(request, data, now).encoded()
        except (NotJsonError, PydanticSerializationError):
            return None  # also a value that cannot be repeated as it is, NaN for one
        except ObjectGoneError:  # how the request ended is told all the same
            return None
