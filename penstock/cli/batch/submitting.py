"""Submitting checked lines, for as long as the API has room for more."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.cli.batch.lines import FileInS3, Line, Lines
from penstock.cli.batch.progress import bar
from penstock.client import BatchEntry, Client, RateLimitedError, may_be_sent_again
from penstock.client.pacing import looks

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 15.0


@dataclass(frozen=True)
class Submitting:
    """Submits to one deployment."""

    client: Client
    model: str
    environment: str | None
    deployment: str | None
    timeout: float
    """Seconds for which what is refused for the moment is sent again."""

    def entries(self, source: Lines | FileInS3, *, with_bar: bool) -> Iterator[BatchEntry]:
        """Yield what became of each line, in their order."""
        if isinstance(source, FileInS3):
            yield from self.client.submit_batch_in_s3(
                self.model,
                source.location,
                environment=self.environment,
                deployment=self.deployment,
            )
            return
        ends_at, done = time.monotonic() + self.timeout, 0
        with bar("submitted", source.count, is_wanted=with_bar) as shown:
            for group in source.groups():
                yield from self._settled(group, ends_at - time.monotonic())
                done += len(group)
                shown.show(done)

    def _settled(self, group: Sequence[Line], seconds: float) -> Sequence[BatchEntry]:
        entries: dict[int, BatchEntry] = {}
        left = group
        for pause in looks(
            seconds,
            first_pause_seconds=_FIRST_PAUSE_SECONDS,
            longest_pause_seconds=_LONGEST_PAUSE_SECONDS,
        ):
            time.sleep(pause)
            for line, entry in zip(left, self._sent(left), strict=True):
                entries[line.index] = entry.model_copy(update={"index": line.index})
            left = [line for line in left if may_be_sent_again(entries[line.index])]
            if not left:
                break
        return [entries[line.index] for line in group]

    def _sent(self, lines: Sequence[Line]) -> Sequence[BatchEntry]:
        try:
            return self.client.submit_batch(
                self.model,
                [line.item for line in lines],
                environment=self.environment,
                deployment=self.deployment,
            )
        except RateLimitedError as error:
            # Not even one of them: there is room again when others have ended.
            refused = BatchEntry(index=0, error=str(error), error_code="rate_limited")
            return [refused] * len(lines)
