"""Everything that a stack keeps: requests, keys, payloads, results, messages, secrets."""

import json
from dataclasses import dataclass
from functools import partial

import pulumi

from infra.components.api.background_functions import WEBHOOKS_TIMEOUT_SECONDS
from infra.components.custody.custody import Custody
from infra.components.pipeline.generated_secret import GeneratedSecret, GeneratedSecretArgs
from infra.components.pipeline.notifications import Notifications, NotificationsArgs
from infra.components.pipeline.payload_store import PayloadStore, PayloadStoreArgs
from infra.components.pipeline.requests_table import requests_table_args
from infra.components.pipeline.table import Table, TableArgs
from infra.settings.stack_settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class KeptData:
    """Everything that outlives a deployment of code."""

    custody: Custody
    requests: Table
    catalog: Table
    api_keys: Table
    limits: Table
    store: PayloadStore
    notifications: Notifications
    webhook_signing: GeneratedSecret
    access_key_master: GeneratedSecret


def declare_data(
    settings: StackSettings, custody: Custody, opts: pulumi.ResourceOptions
) -> KeptData:
    """Declare the tables, buckets, topics, queues and secrets of a stack."""
    kept = settings.is_protected
    table = partial(TableArgs, custody=custody, is_protected=kept)
    store = PayloadStoreArgs(
        custody=custody,
        payload_days=settings.retention.payload_days,
        result_days=settings.retention.result_days,
        is_protected=kept,
    )
    notifications = NotificationsArgs(
        custody=custody,
        visibility_seconds=6 * WEBHOOKS_TIMEOUT_SECONDS,
        # The function leaves the message after its last attempt: it becomes a dead letter.
        max_receives=settings.webhooks.max_attempts,
    )
    days = 30 if kept else 0
    return KeptData(
        custody=custody,
        requests=Table("requests", requests_table_args(custody, is_protected=kept), opts),
        catalog=Table("catalog", table(hash_key="model_id"), opts),
        api_keys=Table("api-keys", table(hash_key="prefix"), opts),
        limits=Table("limits", table(hash_key="window", purge_attribute="purge_at"), opts),
        store=PayloadStore("store", store, opts),
        notifications=Notifications("notifications", notifications, opts),
        webhook_signing=GeneratedSecret("webhook-signing", _webhook_signing(custody, days), opts),
        access_key_master=GeneratedSecret(
            "access-key-master", _access_key_master(custody, days), opts
        ),
    )


def _webhook_signing(custody: Custody, recovery_days: int) -> GeneratedSecretArgs:
    return GeneratedSecretArgs(
        custody=custody,
        description="Secrets that webhooks are signed with, newest first",
        recovery_days=recovery_days,
        value=lambda made: json.dumps({"secrets": [f"whsec_{made}"]}),
    )


def _access_key_master(custody: Custody, recovery_days: int) -> GeneratedSecretArgs:
    return GeneratedSecretArgs(
        custody=custody,
        description="What the secrets of access keys are derived from",
        recovery_days=recovery_days,
    )
