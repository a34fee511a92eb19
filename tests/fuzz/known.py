"""Names and ids that lead somewhere, put into random calls so that these get further."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from schemathesis import Case, Response

_KEPT = 200


@dataclass
class Known:
    """What is known of the API, and learnt from its answers."""

    names: dict[str, list[str]]
    """By path parameter; `request_id` grows, `host` is for paths that name no model."""

    request_ids: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def __post_init__(self) -> None:
        self.request_ids.extend(self.names.pop("request_id", []))

    def put_into(self, case: Case[Any], data: st.DataObject) -> None:
        """Replace some of the random path parameters, all of them as often as not."""
        for name in case.path_parameters:
            choices = list(self.request_ids) if name == "request_id" else self.names.get(name, [])
            if choices and data.draw(st.sampled_from([True, True, False]), label=f"known {name}"):
                case.path_parameters[name] = data.draw(st.sampled_from(choices), label=name)

    def host(self, case: Case[Any], data: st.DataObject) -> dict[str, str]:
        """Return a header that names a model where the path does not."""
        names_its_model = {"model_id", "chain_id", "deployment", "endpoint_name"}
        if names_its_model & case.path_parameters.keys():
            return {}
        chosen = data.draw(st.sampled_from([None, *self.names["host"]]), label="host")
        return {} if chosen is None else {"Host": chosen}

    def learn_from(self, response: Response) -> None:
        """Remember the ids of accepted requests."""
        try:
            body: Any = json.loads(response.content)
        except ValueError:
            return
        entries = body.get("requests", [body]) if isinstance(body, dict) else []
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("request_id"), str):
                self.request_ids.append(entry["request_id"])
