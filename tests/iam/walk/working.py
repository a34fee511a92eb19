"""A worker meets requests of every kind, and whatever can go wrong with them."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from unittest.mock import patch

from aiohttp import web

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.object_keys import failure_key
from penstock.contracts.directory.catalog import Model
from penstock.contracts.request import RequestId, RequestState
from tests.iam.callers import INPUTS, OUTPUTS, Callers
from tests.iam.processes import WORKER, Processes, until

BEFORE = "ocr-before"
"""The same deployment as it was before it named places: requests of that time are still there."""

_NINE_MEBIBYTES = 9 * 1024**2
"""More than travels in one part."""

_NO_PLACES = {"output_path": None, "failure_path": None}
_WORN_RECEIVES = 2
"""After so many here, not hundreds, a message that goes back is replaced by a copy."""

_AT_ONCE = {"max_attempts": 2, "initial_delay_ms": 0, "max_delay_ms": 0}


def work(callers: Callers) -> dict[str, str]:
    """Submit, and let a worker end it all; return ids by what was to happen."""
    _remember_the_time_before(callers.processes)
    ids = _submit_what_succeeds(callers) | _submit_what_fails(callers) | _invoke(callers)
    for inference_id in ("echo", "reject"):
        assert callers.call_container(inference_id, later=True)[0] == 202
    results = callers.processes.account.variables_of("intake")["PENSTOCK_RESULTS_BUCKET"]
    callers.processes.recorder.to_refuse += [
        (WORKER, "CompleteMultipartUpload", bucket) for bucket in (results, OUTPUTS)
    ]
    asyncio.run(_work_until_all_have_ended(callers.processes, ids))
    for name, request_id in ids.items():
        assert callers.processes.row(request_id).state is _EXPECTED.get(
            name.partition(":")[0], RequestState.SUCCEEDED
        ), name
    return ids


_EXPECTED = {"fail": RequestState.FAILED, "hang": RequestState.CANCELED}


@dataclass
class _Model:
    """Does what each request says."""

    processes: Processes
    hanging: str
    seen: Counter[bytes] = field(default_factory=Counter)

    async def __call__(self, body: bytes) -> web.Response:
        do = json.loads(body)["do"]
        self.seen[body] += 1
        match do.partition(":")[0]:
            case "big":
                return web.Response(body=bytes(_NINE_MEBIBYTES))
            case "fail":
                return web.Response(status=500)
            case "reject":
                return web.Response(status=400)
            case "retry" if self.seen[body] == 1:
                return web.Response(status=500)
            case "worn" if self.seen[body] <= _WORN_RECEIVES:
                return web.Response(status=500)
            case "hang":
                await asyncio.to_thread(self._cancel)
                await asyncio.Event().wait()
        return web.json_response({"did": do})

    def _cancel(self) -> None:
        path = f"/async_request/{self.hanging}"
        self.processes.call("status", "DELETE", path, query={"force": "true"})


async def _work_until_all_have_ended(processes: Processes, ids: dict[str, str]) -> None:
    def have_ended() -> bool:
        rows = [processes.row(request_id) for request_id in ids.values()]
        return all(row.state.is_terminal and not row.is_unannounced for row in rows)

    soon_worn = patch("penstock.protocol.putting_back.WORN_RECEIVES", _WORN_RECEIVES)
    with soon_worn:
        async with processes.worker(_Model(processes, ids["hang"])):
            await until(have_ended)


def _submit_what_succeeds(callers: Callers) -> dict[str, str]:
    uploaded = callers.upload(b'{"do": "echo"}')
    ids = {
        f"retry:{priority}": callers.submit(
            f"retry:{priority}", priority=priority, inference_retry_config=_AT_ONCE
        )
        for priority in range(3)
    }
    ids |= {
        f"worn:{priority}": callers.submit(
            f"worn:{priority}",
            priority=priority,
            inference_retry_config=_AT_ONCE | {"max_attempts": _WORN_RECEIVES + 1},
        )
        for priority in range(3)
    }
    ids |= {"big": callers.submit("big"), "died": callers.submit("died")}
    ids["large"] = callers.submit("large:" + "x" * 220_000)
    ids["upload"] = callers.submit("", model_input_location=uploaded)
    _die_with(callers.processes, ids["died"])
    return ids


def _submit_what_fails(callers: Callers) -> dict[str, str]:
    absent = callers.upload(b"") + "-nothing"
    ids = {
        "fail": callers.submit("fail", inference_retry_config=_AT_ONCE),
        "fail:absent": callers.submit("", model_input_location=absent),
        "fail:again": callers.submit("reject:again"),
        "fail:gone": callers.submit("gone:" + "x" * 220_000),
        "fail:lost": callers.submit("reject:lost"),
        "hang": callers.submit("hang"),
    }
    for name in ("fail:again", "fail:lost"):
        _leave_failure(callers.processes, ids[name], passes_away=name == "fail:lost")
    _lose_payload(callers.processes, ids["fail:gone"])
    return ids


def _leave_failure(processes: Processes, request_id: str, *, passes_away: bool) -> None:
    """Store what a worker stored that died before it could say so."""
    bucket = processes.account.variables_of("intake")["PENSTOCK_RESULTS_BUCKET"]
    s3, key = client("s3"), failure_key(RequestId(request_id))
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    if passes_away:
        processes.recorder.when_taken[key] = lambda: s3.delete_object(Bucket=bucket, Key=key)


def _lose_payload(processes: Processes, request_id: str) -> None:
    bucket = processes.account.variables_of("intake")["PENSTOCK_PAYLOADS_BUCKET"]
    found = client("s3").list_objects_v2(Bucket=bucket, Prefix=f"payloads/{request_id}/")
    for each in found["Contents"]:
        client("s3").delete_object(Bucket=bucket, Key=each["Key"])


def _invoke(callers: Callers) -> dict[str, str]:
    ids = {
        "place": callers.invoke("", input_location=callers.offer("in", b'{"do": "echo"}')),
        "place:big": callers.invoke("big:place"),
        "place:died": callers.invoke("place:died"),
        "before:died": callers.invoke("before:died", BEFORE),
        "fail:place": callers.invoke("reject:place"),
        "fail:input": callers.invoke("", input_location=f"s3://{INPUTS}/nothing"),
    }
    for name in ("place:died", "before:died"):
        _die_with(callers.processes, ids[name])
        _leave_failure_at_place(callers.processes, ids[name])
    return ids


def _leave_failure_at_place(processes: Processes, request_id: str) -> None:
    """Store the document of an attempt that stalled, which a later one removes."""
    bucket = processes.account.variables_of("intake")["PENSTOCK_RESULTS_BUCKET"]
    destination = processes.row(request_id).destination
    assert destination is not None
    S3ResultStore(bucket, client("s3")).put_failure(
        RequestId(request_id), b"{}", place=destination.failure
    )


def _die_with(processes: Processes, request_id: str) -> None:
    """Claim a request as a worker that was never seen again."""
    processes.requests(minutes_ago=10).claim(RequestId(request_id), "dead", 30)


def _remember_the_time_before(processes: Processes) -> None:
    table = processes.account.variables_of("intake")["PENSTOCK_CATALOG_TABLE"]
    found = client("dynamodb").get_item(TableName=table, Key={"model_id": {"S": "ocr"}})
    model = Model.model_validate_json(found["Item"]["model"]["S"])
    deployments = {
        name: deployment.model_copy(
            update={"sagemaker": deployment.sagemaker.model_copy(update=_NO_PLACES)}
        )
        for name, deployment in model.deployments.items()
    }
    before = model.model_copy(update={"model_id": BEFORE, "deployments": deployments})
    client("dynamodb").put_item(
        TableName=table,
        Item={"model_id": {"S": BEFORE}, "model": {"S": before.model_dump_json()}},
    )
