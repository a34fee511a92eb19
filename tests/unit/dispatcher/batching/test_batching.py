"""Who shares a call to the model server, and when it leaves."""

from tempfile import TemporaryFile

import pytest

from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError
from tests.unit.dispatcher.batching.world import WAIT_SECONDS, Caller, World, claimed

BROKEN = ModelFaultError(
    FaultCode.MODEL_PREDICT_ERROR,
    "The model server answered 500: boom",
    ModelAnswer(b"boom", "text/plain", 500),
)
GONE = ModelFaultError(FaultCode.MODEL_UNAVAILABLE, "The model server closed the connection.")


def fault_of(caller: Caller) -> ModelFaultError:
    error = caller.error
    assert isinstance(error, ModelFaultError)
    return error


@pytest.fixture
def world() -> World:
    return World()


def test_a_full_batch_leaves_at_once_and_each_hears_its_own_answer(world: World) -> None:
    callers = [world.ask(number) for number in range(4)]

    (call,) = world.calls
    assert call.body == b"[0,1,2,3]"
    assert call.ids == [caller.request.request_id for caller in callers]
    world.answer(call, b'[ 1.50, {"a": [1 , 2]},\n"x]", null ]')

    assert [caller.body for caller in callers] == [b"1.50", b'{"a": [1 , 2]}', b'"x]"', b"null"]


def test_a_batch_that_does_not_fill_leaves_when_its_oldest_has_waited(world: World) -> None:
    world.ask(0)
    world.turn(WAIT_SECONDS / 2)
    world.ask(1)
    assert world.calls == []

    world.turn(WAIT_SECONDS / 2)
    assert [call.inputs for call in world.calls] == [[0, 1]]


def test_one_request_is_asked_for_as_without_batching(world: World) -> None:
    caller = world.ask({"text": "a"})
    call = world.depart()
    assert call.body == b'{"text": "a"}'

    world.answer(call, b'{"error": "is this model\'s answer"}', 201)
    assert caller.heard.result() == Answer(
        b'{"error": "is this model\'s answer"}', "application/json", 201
    )


def test_the_next_batch_gathers_while_one_is_on_its_way_and_then_leaves_at_once(
    world: World,
) -> None:
    for number in range(4):
        world.ask(number)
    for number in range(4, 7):
        world.ask(number)
    world.turn(WAIT_SECONDS)
    assert len(world.calls) == 1

    world.echo(world.calls[0])
    assert [call.inputs for call in world.calls] == [[4, 5, 6]]


def test_no_more_batches_are_on_their_way_than_allowed() -> None:
    world = World(size=2, flights=2)
    for number in range(6):
        world.ask(number)

    assert [call.inputs for call in world.calls] == [[0, 1], [2, 3]]


def test_a_batch_is_of_the_highest_priority_first_and_what_is_left_goes_to_lower_ones(
    world: World,
) -> None:
    for number in range(4):
        world.ask(number)
    for number, priority in enumerate([2, 2, 2, 1, 0, 0], 10):
        world.ask(number, priority=priority)

    world.echo(world.calls[0])
    assert world.calls[0].inputs == [14, 15, 13, 10]
    world.turn(WAIT_SECONDS)
    world.echo(world.calls[0])
    assert world.calls[0].inputs == [11, 12]


def test_nobody_waits_for_lower_priorities_longer_than_for_its_own(world: World) -> None:
    world.ask("low", priority=2)
    world.turn(WAIT_SECONDS / 2)
    world.ask("high")
    world.turn(WAIT_SECONDS / 2)

    assert world.calls[0].inputs == ["high", "low"]


def test_how_many_share_a_call_is_observed(world: World) -> None:
    for number in range(5):
        world.ask(number)
    world.echo(world.calls[0])
    world.depart()

    assert world.sizes == [4, 1]


@pytest.mark.parametrize(
    "payload",
    [
        Loaded(b"\x81\xa1a\x01", "application/octet-stream", 4),
        Loaded(b'{"a": [1', "application/json", 8),
        Loaded(b"1, 2", "application/json", 4),
        Loaded(b"", "application/json", 0),
        Loaded(b"\xef\xbb\xbf1", "application/json", 4),
        Loaded("1".encode("utf-16"), "application/json", 4),
        Loaded(b"1", "application/json; charset=utf-16", 1),
        Loaded(b"[" * 100_000 + b"]" * 100_000, "application/json", 200_000),
        Loaded(b'"%s"' % (b"a" * 204_800), "application/json", 204_802),
    ],
    ids=["binary", "half", "two", "empty", "marked", "utf-16", "said utf-16", "deep", "long"],
)
def test_what_cannot_be_an_element_of_a_list_goes_alone_as_it_is(
    world: World, payload: Loaded
) -> None:
    world.ask_raw(payload)
    assert [call.body for call in world.calls] == [payload.content]


def test_a_payload_in_a_file_goes_alone(world: World) -> None:
    with TemporaryFile() as file:
        file.write(b"1")
        world.ask_raw(Loaded(file, "application/json", 1))

        assert [call.body for call in world.calls] == [b"1"]


def test_a_caller_who_speaks_to_the_container_itself_goes_alone(world: World) -> None:
    call = ContainerCall(path="/other")
    world.ask(1, call=call)

    assert [asked.call for asked in world.calls] == [call]


def test_what_goes_alone_takes_the_place_of_a_batch(world: World) -> None:
    world.ask(0, attempt=2)
    for number in range(1, 5):
        world.ask(number)
    assert [call.inputs for call in world.calls] == [[0]]

    world.echo(world.calls[0])
    assert [call.inputs for call in world.calls] == [[1, 2, 3, 4]]


def test_what_goes_alone_waits_for_no_batch_that_has_a_flight_of_its_own() -> None:
    world = World(flights=2)
    world.ask(0)
    world.ask(1, attempt=2)
    assert [call.inputs for call in world.calls] == [[1]]

    world.turn(WAIT_SECONDS)
    assert [call.inputs for call in world.calls] == [[1], [0]]


def test_the_last_free_flight_is_kept_for_the_batch_whose_turn_it_is() -> None:
    world = World(flights=2)
    world.ask(0)
    for number in (1, 2):
        world.ask(number, attempt=2)
    assert [call.inputs for call in world.calls] == [[1]]

    world.turn(WAIT_SECONDS)
    assert [call.inputs for call in world.calls] == [[1], [0]]


def test_an_output_may_be_the_error_of_one_request(world: World) -> None:
    callers = [world.ask(number) for number in range(4)]
    world.answer(
        world.calls[0],
        b'[1, {"error": "too long", "status": 422}, {"error": {"why": "odd"}},'
        b' {"error": "none", "score": 1}]',
    )

    assert callers[0].body == b"1"
    refused = fault_of(callers[1])
    assert refused.fault.code is FaultCode.MODEL_INVALID_INPUT
    assert refused.answer == ModelAnswer(
        b'{"error": "too long", "status": 422}', "application/json", 422
    )
    failed = fault_of(callers[2])
    assert failed.fault.code is FaultCode.MODEL_PREDICT_ERROR
    assert failed.fault.message == 'The model server answered 500: {"error": {"why": "odd"}}'
    assert callers[3].body == b'{"error": "none", "score": 1}'


@pytest.mark.parametrize("status", ['"422"', "200", "true", "null", "422.0"])
def test_an_error_with_another_status_than_one_of_errors_is_the_models(
    world: World, status: str
) -> None:
    caller, _ = world.ask(0), world.ask(1)
    world.answer(world.depart(), b'[{"error": "x", "status": %s}, 1]' % status.encode())

    assert fault_of(caller).fault.code is FaultCode.MODEL_PREDICT_ERROR


@pytest.mark.parametrize(
    "body",
    [b"[1]", b"[1, 2, 3]", b"[]", b'{"outputs": [1, 2]}', b"[1, 2", b"[1, 2] 3", b"[1 2]",
     b"[,1]", b"[1,]", b"", b"\xff", b"ok", b"[[1], [2]]]", b"[" * 100_000],
)  # fmt: skip
def test_after_an_answer_that_is_none_to_a_batch_each_is_asked_for_alone(
    world: World, body: bytes
) -> None:
    callers = [world.ask(number) for number in range(2)]
    world.answer(world.depart(), body)

    for number in range(2):
        assert world.calls[0].inputs == [number]
        world.echo(world.calls[0])
    assert [caller.body for caller in callers] == [b"0", b"1"]


def test_a_bad_input_that_fails_its_batch_costs_the_others_no_attempt(world: World) -> None:
    callers = [world.ask(number) for number in range(4)]
    world.refuse(world.calls[0], BROKEN)
    for number in range(4):
        assert world.calls[0].inputs == [number]
        if number == 2:
            world.refuse(world.calls[0], BROKEN)
        else:
            world.echo(world.calls[0])

    assert [each.body for each in callers if each is not callers[2]] == [b"0", b"1", b"3"]
    assert fault_of(callers[2]).answer == BROKEN.answer


def test_those_who_were_refused_together_go_before_those_who_came_later(world: World) -> None:
    for number in range(2):
        world.ask(number)
    call = world.depart()
    world.ask(2)
    world.refuse(call, BROKEN)

    assert world.calls[0].inputs == [0]


def test_a_model_server_that_dies_over_a_batch_ends_the_attempt_of_each(world: World) -> None:
    callers = [world.ask(number) for number in range(2)]
    world.refuse(world.depart(), GONE)

    assert [fault_of(each).fault for each in callers] == [GONE.fault] * 2
    assert fault_of(callers[0]) is not fault_of(callers[1])


def test_from_its_second_counted_attempt_on_a_request_goes_alone(world: World) -> None:
    for number in range(2):
        world.ask(number, attempt=2)
    assert [call.inputs for call in world.calls] == [[0]]

    world.echo(world.calls[0])
    assert [call.inputs for call in world.calls] == [[1]]


def test_a_busy_model_server_has_taken_nobody(world: World) -> None:
    callers = [world.ask(number) for number in range(2)]
    world.refuse(world.depart(), ModelBusyError("the model server answered 503"))

    assert [str(each.error) for each in callers] == ["the model server answered 503"] * 2
    assert all(isinstance(each.error, ModelBusyError) for each in callers)


def test_an_unexpected_error_reaches_each_and_the_next_batch_leaves(world: World) -> None:
    callers = [world.ask(number) for number in range(2)]
    world.refuse(world.depart(), OSError("no route"))
    assert [str(each.error) for each in callers] == ["no route"] * 2

    world.ask(2)
    assert world.depart().inputs == [2]


def test_who_leaves_before_the_batch_does_is_not_in_it(world: World) -> None:
    first, _ = world.ask(0), world.ask(1)
    world.leave(first)

    assert world.depart().inputs == [1]


def test_who_leaves_on_the_way_does_not_disturb_the_others(world: World) -> None:
    first, second = world.ask(0), world.ask(1)
    call = world.depart()
    world.leave(first)
    assert first.heard.cancelled()

    world.echo(call)
    assert second.body == b"1"
    assert world.closed == []


def test_a_call_for_which_nobody_waits_is_closed_and_the_next_leaves(world: World) -> None:
    callers = [world.ask(number) for number in range(4)]
    world.ask(4)
    (call,) = world.calls
    for caller in callers:
        world.leave(caller)

    assert world.closed == [call]
    assert world.depart().inputs == [4]


def test_a_request_whose_own_time_is_up_is_told_and_the_others_go_on(world: World) -> None:
    hasty, patient = world.ask(0, limit=5), world.ask(1, limit=50)
    call = world.depart()
    world.turn(5)
    assert fault_of(hasty).fault.code is FaultCode.MODEL_PREDICT_TIMEOUT
    assert fault_of(hasty).fault.message == "Prediction ran longer than 5 s."

    world.turn(40)
    world.echo(call)
    assert patient.body == b"1"


def test_a_batch_may_take_as_long_as_its_most_patient_member(world: World) -> None:
    callers = [world.ask(0, limit=5), world.ask(1, limit=50)]
    call = world.depart()
    world.turn(49)
    assert world.calls == [call]
    world.turn(1)

    assert [fault_of(each).fault.code for each in callers] == [FaultCode.MODEL_PREDICT_TIMEOUT] * 2
    assert world.closed == [call]


def test_the_time_of_a_request_begins_when_it_leaves(world: World) -> None:
    for number in range(4):
        world.ask(number)
    late = world.ask(4, limit=5)
    world.turn(30)
    world.echo(world.calls[0])
    world.turn(4)
    world.echo(world.calls[0])

    assert late.body == b"4"


def test_a_refused_batch_and_the_call_alone_share_the_time_of_an_attempt(world: World) -> None:
    caller, _ = world.ask(0, limit=5), world.ask(1)
    call = world.depart()
    world.turn(4)
    world.refuse(call, BROKEN)
    world.turn(1)

    assert fault_of(caller).fault.code is FaultCode.MODEL_PREDICT_TIMEOUT


def test_an_answer_in_a_file_is_taken_apart_too_and_closed(world: World) -> None:
    callers = [world.ask(number) for number in range(2)]
    with TemporaryFile() as file:
        file.write(b"[10, 11]")
        file.seek(0)
        world.answer(world.depart(), file)

        assert [caller.body for caller in callers] == [b"10", b"11"]
        assert file.closed


def test_too_long_an_answer_to_a_batch_is_asked_for_one_by_one(world: World) -> None:
    world.ask(0)
    world.ask(1)
    with TemporaryFile() as file:
        file.truncate(16 * 1024**2 + 1)
        world.answer(world.depart(), file)

        assert file.closed
    assert world.calls[0].inputs == [0]


@pytest.mark.parametrize("when", ["before it is handed over", "right after"])
def test_an_answer_that_comes_as_its_caller_leaves_is_closed(world: World, when: str) -> None:
    with TemporaryFile() as file:
        caller = world.ask(0, attempt=2)
        world.calls[0].answer.set_result(Answer(file, "application/json"))
        if when == "right after":
            world.loop.call_soon(caller.heard.cancel)
        else:
            caller.heard.cancel()
        world.loop.run_ready()

        assert caller.heard.cancelled()
        assert file.closed


def test_a_request_that_was_given_back_is_batched_again(world: World) -> None:
    world.ask_raw(Loaded(b"0", "application/json", 1), claimed().model_copy(update={"attempt": 3}))
    world.ask(1)

    assert world.depart().inputs == [0, 1]


def test_it_says_whom_higher_priorities_may_still_overtake(world: World) -> None:
    callers = [world.ask(number, priority=priority) for number, priority in enumerate([2, 2, 1, 0])]
    world.ask("waits", priority=2)

    assert [world.batching.under_way_below(priority) for priority in range(3)] == [3, 2, 0]
    world.leave(callers[0])
    assert world.batching.under_way_below(0) == 2
    world.echo(world.calls[0])
    assert world.batching.under_way_below(0) == 0


@pytest.mark.parametrize(
    ("error", "still_under_way"), [(BROKEN, 1), (ModelBusyError("busy"), 0)], ids=str
)
def test_when_a_batch_lands_it_says_that_fewer_are_under_way(
    world: World, error: Exception, still_under_way: int
) -> None:
    said: list[int] = []
    world.batching.call_when_landed(lambda: said.append(world.batching.under_way_below(0)))
    for number in range(4):
        world.ask(number, priority=2)
    assert world.batching.under_way_below(0) == 4

    world.refuse(world.calls[0], error)
    assert said == [still_under_way]
