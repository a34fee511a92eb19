import pytest

from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from runtime_image.dispatcher.model_server.outgoing import Outbox, Outgoing
from runtime_image.dispatcher.model_server.presets import preset_of
from runtime_image.dispatcher.model_server.server import ModelFaultError
from tests.unit.dispatcher.environment import environment

REQUEST_ID = RequestId("0" * 32)
TRACEPARENT = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
BASE = "http://127.0.0.1:8080"
TRUSS = preset_of(environment())
HTTP = preset_of(environment(model_server_preset="http"))


def sent(call: ContainerCall | None) -> Outgoing:
    return Outbox(BASE, HTTP).outgoing(REQUEST_ID, "text/csv", call)


def test_a_request_without_wishes_is_a_post_to_where_predictions_are_taken() -> None:
    to_send = Outbox(BASE, TRUSS).outgoing(REQUEST_ID, "application/json", None)
    assert (to_send.method, str(to_send.url)) == ("POST", f"{BASE}/v1/models/model:predict")
    assert to_send.headers == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "X-BASETEN-REQUEST-ID": REQUEST_ID,
    }


def test_a_call_goes_out_as_its_caller_wrote_it() -> None:
    call = ContainerCall(
        method="PUT", path="/a%2Fb/c%20d", query="x=%C3%A9&x=1+2&flag", headers={"Prefer": "wait=1"}
    )
    to_send = sent(call)
    assert (to_send.method, str(to_send.url)) == ("PUT", f"{BASE}/a%2Fb/c%20d?x=%C3%A9&x=1+2&flag")
    assert to_send.url.raw_path_qs == "/a%2Fb/c%20d?x=%C3%A9&x=1+2&flag"
    assert to_send.headers["Prefer"] == "wait=1"


def test_a_callers_header_replaces_the_presets() -> None:
    call = ContainerCall(headers={"accept": "text/event-stream"})
    headers = Outbox(BASE, TRUSS).outgoing(REQUEST_ID, "application/json", call).headers
    assert headers["accept"] == "text/event-stream"
    assert "Accept" not in headers


def test_headers_of_the_connection_and_ours_are_not_the_callers_to_set() -> None:
    theirs = {
        "Host": "elsewhere",
        "content-length": "7",
        "Content-Type": "text/html",
        "Connection": "close, X-Hop",
        "X-Hop": "1",
        "Transfer-Encoding": "chunked",
        "Expect": "100-continue",
        "Upgrade": "h2c",
        "Accept-Encoding": "br",
        "x-baseten-request-id": "mine",
    }
    headers = sent(ContainerCall(headers=theirs | {"X-Kept": "2"})).headers
    assert headers == {
        "X-Kept": "2",
        "Accept-Encoding": "identity",
        "Content-Type": "text/csv",
        "X-BASETEN-REQUEST-ID": REQUEST_ID,
    }


@pytest.mark.parametrize("path", ["@elsewhere/x", "//elsewhere/x", "x"])
def test_no_path_leads_to_another_host(path: str) -> None:
    url = sent(ContainerCall(path=path)).url
    assert (url.host, url.port) == ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    "call",
    [
        ContainerCall(path="/a/../b"),
        ContainerCall(path="/a/%2e%2E/b"),
        ContainerCall(path="/.."),
        ContainerCall(path="/a b"),
        ContainerCall(path="/a\r\nX-Evil: 1"),
        ContainerCall(path="/é"),
        ContainerCall(query="a=1 HTTP/1.1"),
        ContainerCall(query="a#b"),
        ContainerCall(headers={"X-A": "1\r\nX-Evil: 1"}),
        ContainerCall(headers={"X A": "1"}),
    ],
    ids=str,
)
def test_what_cannot_be_sent_as_it_is_fails_for_good(call: ContainerCall) -> None:
    with pytest.raises(ModelFaultError) as failure:
        sent(call)
    assert failure.value.fault.code is FaultCode.MODEL_INVALID_INPUT


def test_the_model_server_is_told_the_trace() -> None:
    outgoing = Outbox(BASE, TRUSS).outgoing(REQUEST_ID, "application/json", None, TRACEPARENT)

    assert outgoing.headers["traceparent"] == TRACEPARENT


def test_our_trace_takes_the_place_of_the_callers() -> None:
    theirs = {"Traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01", "Tracestate": "a=1"}
    call = ContainerCall(method="POST", path="x", headers=theirs)
    headers = Outbox(BASE, HTTP).outgoing(REQUEST_ID, "text/csv", call, TRACEPARENT).headers

    named = {name: value for name, value in headers.items() if name.lower().startswith("trace")}
    assert named == {"traceparent": TRACEPARENT}


def test_without_a_trace_of_ours_the_callers_is_handed_on() -> None:
    call = ContainerCall(method="POST", path="x", headers={"traceparent": TRACEPARENT})

    headers = Outbox(BASE, HTTP).outgoing(REQUEST_ID, "text/csv", call).headers
    assert headers["traceparent"] == TRACEPARENT
