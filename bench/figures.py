"""Measured numbers: ours, and beside it the floor that was measured in the same run."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Backend(StrEnum):
    """What stands behind the ports."""

    EMULATOR = "emulator"
    IN_PROCESS = "in-process"


class Goal(BaseModel):
    """What a figure is held to."""

    model_config = ConfigDict(frozen=True)

    at_least: float | None = None
    at_most: float | None = None
    of_ratio: bool = False
    """Whether the ratio to the floor is meant, not the figure itself."""

    def is_met(self, figure: "Figure") -> bool:
        """Whether a figure keeps to it."""
        value = figure.ratio if self.of_ratio else figure.ours
        if value is None:
            return False
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        bound = f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"
        return f"{bound} of the floor" if self.of_ratio else bound


class Figure(BaseModel):
    """One number of a run."""

    model_config = ConfigDict(frozen=True)

    section: str
    name: str
    unit: str
    ours: float
    backend: Backend | None = None
    floor: float | None = None
    goal: Goal | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is compared by with the same figure of another run."""
        return self.section, self.name, self.backend or ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor it is."""
        return self.ours / self.floor if self.floor else None


class Run(BaseModel):
    """What one run of the bench measured."""

    command: str
    machine: str
    date: str
    commit: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    """What was left out, and why."""
