"""Reading `Prefer`, and what becomes of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dialects.datacrunch.preferences import Mode, Preferences, elements_of

MODES = ("respond-async", "respond-async-proxy", "respond-async-container")


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize(
    "template",
    ["{}", " {} ", '{}=""', '{} = "" ; ', "{}; a=b", '{};a="x, y";c', "return=minimal,{}"],
)
def test_each_mode_is_recognised_in_whatever_form(name: str, template: str) -> None:
    assert Preferences.read(template.format(name)).mode == name


def test_the_case_of_a_name_does_not_matter() -> None:
    assert Preferences.read("Respond-ASYNC, WAIT=3") == Preferences(mode=Mode.ASYNC, wait=3)


def test_the_first_of_several_modes_counts_and_none_is_left_over() -> None:
    found = Preferences.read("foo, respond-async-proxy, respond-async, respond-async-proxy")
    assert found == Preferences(mode=Mode.PROXY, others=("foo",))


@pytest.mark.parametrize(
    "header",
    [
        "", ",", "return=minimal", "respond-asynchronously", "respond-async=yes", "=respond-async",
        'note="respond-async"', 'note=", respond-async"', 'note="\\", respond-async"',
    ],
)  # fmt: skip
def test_anything_else_is_synchronous(header: str) -> None:
    assert Preferences.read(header).mode is Mode.SYNCHRONOUS


def test_a_quote_that_is_never_closed_hides_nothing() -> None:
    assert Preferences.read('note="oops, respond-async').mode is Mode.ASYNC


def test_a_header_of_open_quotes_is_read_in_one_pass() -> None:
    # In quadratic time this takes hours.
    header = '"\\' * 500_000 + ",b"
    assert list(elements_of(header)) == [header[:-2], "b"]


def test_a_header_beyond_any_sense_is_left_to_the_container() -> None:
    header = "respond-async, " + "x" * 5_000
    assert Preferences.read(header) == Preferences(others=(header,))


@given(st.text(alphabet='a,"\\ ='))
def test_elements_are_those_of_the_grammar(header: str) -> None:
    grammar = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,"]|")+', re.DOTALL)
    assert [each for each in elements_of(header) if each] == grammar.findall(header)


def test_what_is_unknown_is_kept_as_it_was_written() -> None:
    header = 'return=minimal; x=1 , note="a, b" ,,handling = lenient, 🤷'
    assert Preferences.read(header).others == (
        "return=minimal; x=1", 'note="a, b"', "handling = lenient", "🤷",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("wait=10", 10), ('wait="10"', 10), ("wait = 10 ; x", 10), ("wait=0", 0),
        ("wait=3, wait=9", 3), ("wait", None), ("wait=-1", None), ("wait=1.5", None),
        ("wait=soon, wait=4", 4), (f"wait={'9' * 400}", None),
    ],
)  # fmt: skip
def test_wait_is_a_number_of_seconds(header: str, wait: int | None) -> None:
    assert Preferences.read(header).wait == wait


@pytest.mark.parametrize(
    ("header", "received"),
    [
        ("", None),
        ("return=minimal, a;b", "return=minimal, a;b"),
        ("return=minimal, wait=5", "return=minimal"),
        ("respond-async", None),
        ("respond-async, return=minimal", None),
        ("respond-async-proxy, return=minimal", "respond-async"),
        ("respond-async-container", "respond-async"),
    ],
)
def test_the_container_receives(header: str, received: str | None) -> None:
    assert Preferences.read(header).for_container == received


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 25), ("wait=3", 3), ("wait=99", 25), ("wait=0", 0),
        ("respond-async", 0), ("respond-async, wait=3", 3), ("respond-async, wait=99", 25),
        ("respond-async-proxy", 0), ("respond-async-proxy, wait=3", 0),
        ("respond-async-container", 25), ("respond-async-container, wait=3", 3),
    ],
)  # fmt: skip
def test_the_answer_is_waited_for(header: str, seconds: float) -> None:
    assert Preferences.read(header).wait_seconds(25) == seconds


@pytest.mark.parametrize(
    ("header", "applied"),
    [
        ("", None), ("return=minimal", None), ("wait=3", "wait=3"), ("wait=26", None),
        ("respond-async", "respond-async"),
        ("respond-async; x, wait=3", "respond-async, wait=3"),
        ("respond-async-proxy, wait=3", "respond-async-proxy"),
        ("respond-async-container", "respond-async-container"),
    ],
)  # fmt: skip
def test_what_was_honoured_is_named(header: str, applied: str | None) -> None:
    assert Preferences.read(header).applied(25) == applied


@given(st.text())
def test_no_header_is_refused(header: str) -> None:
    assert Preferences.read(header).wait_seconds(25) <= 25


@given(st.lists(st.sampled_from([*MODES, "a=b", 'c="d, e"', "wait=x"]), max_size=6))
def test_the_first_mode_wins_wherever_it_stands(elements: list[str]) -> None:
    first = next((element for element in elements if element in MODES), "")
    found = Preferences.read(", ".join(elements))
    assert found.mode == first
    assert list(found.others) == [element for element in elements if element not in MODES]
