"""Hosts that are slow or dead."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from functions.webhooks import hosts as hosts_module
from functions.webhooks.hosts import HostAvoidedError, Hosts
from penstock.adapters.in_memory import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hosts(clock: FakeClock) -> Hosts:
    return Hosts(clock, failures_to_open=3, visits_at_a_time=2, patience_seconds=0)


def call(hosts: Hosts, *, well: bool | None, name: str = "host") -> None:
    with hosts.visit(name) as visit:
        visit.went_well = well


def avoided_seconds(hosts: Hosts, name: str = "host") -> float:
    with pytest.raises(HostAvoidedError) as avoided, hosts.visit(name):
        pass
    return avoided.value.seconds


def opened(hosts: Hosts) -> None:
    for _ in range(3):
        call(hosts, well=False)


def test_failures_in_a_row_open_the_circuit_of_that_host_alone(hosts: Hosts) -> None:
    opened(hosts)
    assert avoided_seconds(hosts) == 30
    call(hosts, well=True, name="another")


def test_a_success_in_between_starts_the_count_over(hosts: Hosts) -> None:
    for well in (False, False, True, False, False, None, None):
        call(hosts, well=well)
    call(hosts, well=True)


def test_one_visit_probes_the_host_when_it_cooled_down(hosts: Hosts, clock: FakeClock) -> None:
    opened(hosts)
    clock.advance(30)
    with hosts.visit("host") as probe:
        assert avoided_seconds(hosts) == 5
        probe.went_well = True
    with hosts.visit("host"), hosts.visit("host"):
        pass


def test_a_probe_that_fails_doubles_the_cool_down_up_to_ten_minutes(
    hosts: Hosts, clock: FakeClock
) -> None:
    opened(hosts)
    cool_downs = []
    for _ in range(7):
        cool_downs.append(avoided_seconds(hosts))
        clock.advance(cool_downs[-1])
        call(hosts, well=False)
    assert cool_downs == [30, 60, 120, 240, 480, 600, 600]


def test_a_probe_that_learns_nothing_leaves_the_next_one_to_probe(
    hosts: Hosts, clock: FakeClock
) -> None:
    opened(hosts)
    clock.advance(30)
    call(hosts, well=None)
    with hosts.visit("host"):
        assert avoided_seconds(hosts) == 5


def test_visits_that_began_before_the_circuit_opened_do_not_lengthen_it(hosts: Hosts) -> None:
    with hosts.visit("host") as slow:
        opened(hosts)
        slow.went_well = False
    assert avoided_seconds(hosts) == 30


def test_an_open_circuit_can_be_ignored(hosts: Hosts) -> None:
    opened(hosts)
    with hosts.visit("host", whatever_happened=True) as visit:
        visit.went_well = True
    call(hosts, well=True)


def test_a_host_has_only_so_many_visits_at_a_time(hosts: Hosts) -> None:
    with hosts.visit("host"), hosts.visit("host"):
        assert avoided_seconds(hosts) == 5
        call(hosts, well=True, name="another")
    call(hosts, well=True)


def test_a_place_that_becomes_free_is_taken_at_once(clock: FakeClock) -> None:
    hosts = Hosts(clock, visits_at_a_time=1, patience_seconds=30)
    began = Event()

    def visit() -> None:
        began.set()
        call(hosts, well=True)

    with ThreadPoolExecutor() as threads:
        with hosts.visit("host"):
            waiting = threads.submit(visit)
            assert began.wait(10)
        waiting.result(10)


def test_hosts_nobody_visits_are_forgotten_when_there_are_many(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_module, "_REMEMBERED_HOSTS", 3)
    opened(hosts)
    call(hosts, well=True, name="second")
    with hosts.visit("third") as held:
        held.went_well = True
        call(hosts, well=True, name="fourth")
        assert set(hosts._hosts) == {"third", "fourth"}  # noqa: SLF001 - its memory is the point
