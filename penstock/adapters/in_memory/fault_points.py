"""Faults on demand: a call of any port fails or the process "dies" before or after it."""

from collections import defaultdict, deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Literal, TypeVar, cast

_Port = TypeVar("_Port")
_Moment = Literal["before", "after"]


class CrashError(BaseException):
    """The process died here; like a kill it is no `Exception`, so nothing survives it."""


class FaultPoints:
    """Knows which calls fail; a call is named `<port>.<method>`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: defaultdict[tuple[_Moment, str], deque[BaseException]] = defaultdict(deque)

    def fail(self, call: str, error: BaseException, *, times: int = 1) -> None:
        """Raise `error` instead of making the call, the next `times` times."""
        self._plan("before", call, error, times)

    def fail_after(self, call: str, error: BaseException, *, times: int = 1) -> None:
        """Raise `error` after the call took effect, as when its answer is lost."""
        self._plan("after", call, error, times)

    def crash_before(self, call: str) -> None:
        """Die before the next such call."""
        self._plan("before", call, CrashError(f"before {call}"), 1)

    def crash_after(self, call: str) -> None:
        """Die after the next such call took effect."""
        self._plan("after", call, CrashError(f"after {call}"), 1)

    @property
    def pending(self) -> list[str]:
        """What was planned and has not happened: a test that ends with some proved less."""
        return [f"{moment} {call}" for (moment, call), errors in self._planned.items() if errors]

    def around(self, name: str, port: _Port) -> _Port:
        """Return `port` under the name by which its calls are told apart."""
        return cast("_Port", _FaultyPort(name, port, self._meet))

    def _plan(self, moment: _Moment, call: str, error: BaseException, times: int) -> None:
        with self._lock:
            self._planned[moment, call].extend([error] * times)

    def _meet(self, moment: _Moment, call: str) -> None:
        with self._lock:
            errors = self._planned[moment, call]
            error = errors.popleft() if errors else None
        if error is not None:
            raise error


class _FaultyPort:
    def __init__(self, name: str, port: object, meet: Callable[[_Moment, str], None]) -> None:
        self._name = name
        self._port = port
        self._meet = meet

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - it stands for any port's attribute
        attribute = getattr(self._port, method)
        if not callable(attribute):
            return attribute

        def call(*args: object, **kwargs: object) -> object:
            self._meet("before", f"{self._name}.{method}")
            answer = attribute(*args, **kwargs)
            self._meet("after", f"{self._name}.{method}")
            return answer

        return call
