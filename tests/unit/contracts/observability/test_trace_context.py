"""The header of X-Ray and that of the W3C say the same."""

import pytest

from penstock.contracts.observability.trace_context import TraceContext

XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
W3C = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"


def test_a_trace_of_lambda_goes_on_as_traceparent() -> None:
    context = TraceContext.of_xray(XRAY)

    assert context is not None
    assert context.traceparent == W3C
    assert context.xray_trace_id == "1-5759e988-bd862e3fe1be46a994272793"


def test_lambda_may_put_more_into_its_header() -> None:
    assert TraceContext.of_xray(f"{XRAY};Lineage=1:a87bd80c:1") == TraceContext.of_xray(XRAY)


def test_what_is_not_sampled_stays_so() -> None:
    context = TraceContext.of_xray(XRAY.replace("Sampled=1", "Sampled=0"))

    assert context is not None
    assert context.traceparent == W3C.removesuffix("1") + "0"
    assert TraceContext.of_traceparent(context.traceparent) == context


def test_traceparent_is_read_as_it_is_written() -> None:
    assert TraceContext.of_traceparent(W3C) == TraceContext.of_xray(XRAY)


@pytest.mark.parametrize(
    "header", ["", "Root=1-5759e988-bd862e3fe1be46a994272793", "Parent=53995c3f42cd8ad8", "x;=;"]
)
def test_a_header_without_trace_or_parent_is_no_context(header: str) -> None:
    assert TraceContext.of_xray(header) is None


@pytest.mark.parametrize("header", [None, "", W3C[:-1], f"{W3C}-00", W3C.upper(), f"cc{W3C[2:]}"])
def test_what_is_no_traceparent_is_no_context(header: str | None) -> None:
    assert TraceContext.of_traceparent(header) is None
