"""Where payloads and results lie: two buckets, because they live for different times."""

from dataclasses import dataclass

import pulumi

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement
from infra.components.pipeline.private_bucket import PrivateBucket, PrivateBucketArgs

_PAYLOADS, _UPLOADS = "payloads/", "uploads/"
_RESULTS, _FAILURES = "results/", "failures/"


@dataclass(frozen=True, kw_only=True)
class PayloadStoreArgs:
    """What the store needs to know."""

    custody: Custody
    payload_days: int
    result_days: int
    is_protected: bool
    """Whether the buckets refuse to be deleted while objects lie in them."""


class PayloadStore(pulumi.ComponentResource):
    """The bucket of payloads and the bucket of results and failures."""

    payloads: PrivateBucket
    results: PrivateBucket

    def __init__(
        self, name: str, args: PayloadStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:PayloadStore", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.payloads, self.results = (
            PrivateBucket(
                f"{name}-{kind}",
                PrivateBucketArgs(
                    custody=args.custody, lifetime_days=days, is_protected=args.is_protected
                ),
                child,
            )
            for kind, days in (("payloads", args.payload_days), ("results", args.result_days))
        )
        self.register_outputs({"payloads": self.payloads.name, "results": self.results.name})

    def statements_to_submit(self) -> list[Statement]:
        """Allow what intake does: store payloads or find them stored, read what callers uploaded.

        Uploads are written by their callers, but a presigned URL may do what its signer may.
        """
        return [
            self.payloads.statement_to_write(_PAYLOADS, _UPLOADS),
            self.payloads.statement_to_read(_PAYLOADS, _UPLOADS),
            self.payloads.statement_to_miss(),
        ]

    def statements_to_work(self, fingerprint: str) -> list[Statement]:
        """Allow what a dispatcher does: load payloads, store results or find them stored.

        Only of one model's requests. What callers uploaded belongs to no model.
        """
        inputs = (f"{_PAYLOADS}{fingerprint}", _UPLOADS)
        results, failures = f"{_RESULTS}{fingerprint}", f"{_FAILURES}{fingerprint}"
        return [
            self.payloads.statement_to_read(*inputs),
            self.payloads.statement_to_miss(*inputs),
            self.results.statement_to_write(results, failures),
            self.results.statement_to_abandon(results),
            self.results.statement_to_remove(failures),
            self.results.statement_to_read(results, failures),
            self.results.statement_to_miss(results, failures),
        ]

    def statements_to_give_up(self) -> list[Statement]:
        """Allow what the sweeper does: store failures, or find what is stored."""
        return [
            self.results.statement_to_write(_FAILURES),
            self.results.statement_to_remove(_FAILURES),
            *self.statements_to_fetch(),
        ]

    def statements_to_fetch(self) -> list[Statement]:
        """Allow to read results and failure documents, and to learn that one has expired."""
        return [
            self.results.statement_to_read(_RESULTS, _FAILURES),
            self.results.statement_to_miss(),
        ]

    def statements_to_deliver(self) -> list[Statement]:
        """Allow what a webhook needs: a result. A failure is told from its row."""
        return [self.results.statement_to_read(_RESULTS), self.results.statement_to_miss()]
