"""What a deployed stack exports: the command line and the local stack find it by these names."""

from penstock.contracts.contract import Contract


class StackOutputs(Contract):
    """The exports of one stack (`pulumi stack output --json`)."""

    api_url: str
    region: str
    requests_table: str
    catalog_table: str
    api_keys_table: str
    payloads_bucket: str
    results_bucket: str
    succeeded_topic: str
    failed_topic: str
    webhook_queue_url: str
    webhook_dead_letter_queue_url: str
    webhook_signing_secret_id: str
    signing_master_secret_id: str = ""
    """Secrets Manager: what the secrets of access keys are derived from."""
