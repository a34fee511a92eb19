"""That a deployment's model server takes several requests in one call."""

from typing import Annotated

from pydantic import Field

from infra.settings.settings import Settings

MOST_TOGETHER = 128
"""The ids of a batch travel in one header; more would be longer than some servers take."""


class BatchingSettings(Settings):
    """Requests that share a call to the model server; docs/batching.md says what it must do."""

    max_batch_size: Annotated[int, Field(ge=2, le=MOST_TOGETHER)]
    """How many requests share a call at most. `autoscaling.concurrency_target` counts requests: at
    twice this number one batch gathers while another is worked on."""

    max_wait_ms: Annotated[int, Field(ge=0, le=60_000)] = 5
    """How many milliseconds the first request of a batch waits for others when the model server is
    free."""
