"""Everything that a stack keeps: requests, keys, payloads, results, messages, secrets."""

import json
from dataclasses import dataclass

import pulumi

from infra.components.api.background_functions import WEBHOOKS_TIMEOUT_SECONDS
from infra.components.pipeline.generated_secret import GeneratedSecret, GeneratedSecretArgs
from infra.components.pipeline.notifications import Notifications, NotificationsArgs
from infra.components.pipeline.payload_store import PayloadStore, PayloadStoreArgs
from infra.components.pipeline.requests_table import requests_table_args
from infra.components.pipeline.table import Table, TableArgs
from infra.settings.stack_settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class KeptData:
    """Everything that outlives a deployment of code."""

    requests: Table
    catalog: Table
    api_keys: Table
    limits: Table
    store: PayloadStore
    notifications: Notifications
    webhook_signing: GeneratedSecret
    access_key_master: GeneratedSecret


def declare_data(settings: StackSettings, opts: pulumi.ResourceOptions) -> KeptData:
    """Declare the tables, buckets, topics, queues and secrets of a stack."""
    kept = settings.is_protected
    limits = TableArgs(hash_key="window", purge_attribute="purge_at", is_protected=kept)
    store = PayloadStoreArgs(
        payload_days=settings.retention.payload_days,
        result_days=settings.retention.result_days,
        is_protected=kept,
    )
    notifications = NotificationsArgs(
        visibility_seconds=6 * WEBHOOKS_TIMEOUT_SECONDS,
        # The function leaves the message after its last attempt: it becomes a dead letter.
        max_receives=settings.webhooks.max_attempts,
    )
    days = 30 if kept else 0
    return KeptData(
        requests=Table("requests", requests_table_args(is_protected=kept), opts),
        catalog=Table("catalog", TableArgs(hash_key="model_id", is_protected=kept), opts),
        api_keys=Table("api-keys", TableArgs(hash_key="prefix", is_protected=kept), opts),
        limits=Table("limits", limits, opts),
        store=PayloadStore("store", store, opts),
        notifications=Notifications("notifications", notifications, opts),
        webhook_signing=GeneratedSecret("webhook-signing", _webhook_signing(days), opts),
        access_key_master=GeneratedSecret("access-key-master", _access_key_master(days), opts),
    )


def _webhook_signing(recovery_days: int) -> GeneratedSecretArgs:
    return GeneratedSecretArgs(
        description="Secrets that webhooks are signed with, newest first",
        recovery_days=recovery_days,
        value=lambda made: json.dumps({"secrets": [f"whsec_{made}"]}),
    )


def _access_key_master(recovery_days: int) -> GeneratedSecretArgs:
    return GeneratedSecretArgs(
        description="What the secrets of access keys are derived from", recovery_days=recovery_days
    )
