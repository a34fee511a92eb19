"""Whatever comes, leaves, fails and overtakes: each request hears what is its own."""

import json
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.contracts.outcome import FaultCode
from penstock.protocol.failure_documents import ModelAnswer
from runtime_image.dispatcher.model_server.server import ModelBusyError, ModelFaultError
from tests.unit.dispatcher.batching.world import LIMIT_SECONDS, Call, Caller, World

Nature = Literal["good", "bad", "poison"]
"""What the model makes of an input: an output, an error, or the failure of its whole call."""


@dataclass(frozen=True)
class Ask:
    nature: Nature
    priority: int
    attempt: int
    limit: float


@dataclass(frozen=True)
class Turn:
    seconds: float


@dataclass(frozen=True)
class Reply:
    how: Literal["answers", "answers too few", "is busy", "dies"]
    which: int


@dataclass(frozen=True)
class Leave:
    which: int


_ASKS = st.builds(
    Ask,
    nature=st.sampled_from(["good", "good", "good", "bad", "poison"]),
    priority=st.integers(0, 2),
    attempt=st.sampled_from([1, 1, 1, 2]),
    limit=st.sampled_from([0.02, LIMIT_SECONDS]),
)
_EVENTS = st.one_of(
    _ASKS,
    _ASKS,
    st.builds(Turn, st.sampled_from([0.004, 0.01, 0.03])),
    st.builds(
        Reply,
        st.sampled_from(["answers", "answers", "answers too few", "is busy", "dies"]),
        st.integers(0, 9),
    ),
    st.builds(Leave, st.integers(0, 99)),
)


@dataclass
class Story:
    """A run, with what each request may hear."""

    world: World
    callers: list[tuple[Ask, Caller]] = field(default_factory=list)
    left: set[int] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    """Ids of requests that a call carried which was answered by nobody."""

    def happen(self, event: Ask | Turn | Reply | Leave) -> None:
        match event:
            case Ask():
                value = [len(self.callers), event.nature]
                ask = self.world.ask
                caller = ask(
                    value, priority=event.priority, attempt=event.attempt, limit=event.limit
                )
                self.callers.append((event, caller))
            case Turn(seconds):
                self.world.turn(seconds)
            case Reply(how, which):
                if self.world.calls:
                    self.reply(self.world.calls[which % len(self.world.calls)], how)
            case Leave(which):
                if self.callers:
                    which %= len(self.callers)
                    if not self.callers[which][1].heard.done():
                        self.left.add(which)
                        self.world.leave(self.callers[which][1])

    def reply(self, call: Call, how: str) -> None:
        if how == "is busy":
            self.unanswered.update(call.ids)
            self.world.refuse(call, ModelBusyError("busy"))
        elif how == "dies":
            self.unanswered.update(call.ids)
            self.world.refuse(call, ModelFaultError(FaultCode.MODEL_UNAVAILABLE, "gone"))
        elif how == "answers too few" and len(call.ids) > 1:
            self.world.answer(call, b"[1]")
        else:
            _work(self.world, call)

    def check(self) -> None:
        """Compare what each heard with what the model makes of its input."""
        for number, (ask, caller) in enumerate(self.callers):
            assert caller.heard.done()
            if number in self.left:
                assert caller.heard.cancelled()
            elif (error := caller.error) is None:
                assert ask.nature == "good"
                assert json.loads(caller.body) == {"of": number}
            else:
                self._check_error(ask, caller, error)

    def _check_error(self, ask: Ask, caller: Caller, error: BaseException) -> None:
        if isinstance(error, ModelFaultError) and error.answer is not None:
            number = self.callers.index((ask, caller))
            assert ask.nature != "good"
            assert json.loads(error.answer.body) == {"error": number}
        elif getattr(error, "fault", None) and "ran longer" in str(error):
            assert ask.limit < LIMIT_SECONDS
        else:
            assert caller.request.request_id in self.unanswered


def _work(world: World, call: Call) -> None:
    """Answer as a model does that keeps to the contract."""
    inputs: list[tuple[int, Nature]] = [tuple(value) for value in call.inputs]  # type: ignore[arg-type, misc]  # what `happen` sent
    failing = [number for number, nature in inputs if nature != "good"]
    is_shared = len(inputs) > 1
    if any(nature == "poison" for _, nature in inputs) or (failing and not is_shared):
        body = json.dumps({"error": "batch" if is_shared else failing[0]}).encode()
        answer = ModelAnswer(body, "application/json", 500)
        fault = ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom", answer)
        world.refuse(call, fault)
        return
    world.echo(call, _output)


def _output(value: object) -> object:
    assert isinstance(value, list)
    number, nature = value
    return {"of": number} if nature == "good" else {"error": number}


@settings(deadline=None, max_examples=150)
@given(
    events=st.lists(_EVENTS, min_size=5, max_size=60),
    size=st.integers(2, 5),
    flights=st.integers(1, 3),
)
def test_every_request_hears_exactly_what_is_its_own(
    events: list[Ask | Turn | Reply | Leave], size: int, flights: int
) -> None:
    world = World(size=size, flights=flights)
    story = Story(world)
    for event in events:
        story.happen(event)
        assert len(world.calls) <= flights
        assert all(len(call.ids) <= size for call in world.calls)
    world.turn(1)
    while world.calls:
        story.reply(world.calls[0], "answers")
        world.turn(1)
    story.check()
    assert world.loop.errors == []
