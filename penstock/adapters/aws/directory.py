"""The catalog and the API keys in DynamoDB."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.directory.catalog import Model
from penstock.contracts.ports.clock import Clock, utc_now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_FOUND_KEPT_FOR = timedelta(seconds=60)
_NOT_FOUND_KEPT_FOR = timedelta(seconds=5)  # who has just deployed a model wants to call it


class DynamoCatalog:
    """`Catalog` over one table: `model_id` and the model as JSON, remembered in the process."""

    def __init__(self, table: str, dynamodb: "DynamoDBClient", clock: Clock = utc_now) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock
        self._kept: dict[str, tuple[datetime, Model | None]] = {}

    def find_model(self, model_id: str) -> Model | None:
        """Return a model, or `None`."""
        now = self._clock()
        if (kept := self._kept.get(model_id)) and kept[0] > now:
            return kept[1]
        model = self._fetched(model_id)
        # Callers choose the names that are not found: the answers must not pile up.
        self._kept = {name: entry for name, entry in self._kept.items() if entry[0] > now}
        self._kept[model_id] = (now + (_FOUND_KEPT_FOR if model else _NOT_FOUND_KEPT_FOR), model)
        return model

    def all_models(self) -> Sequence[Model]:
        """Return every model, by id, as it is now, and no chain."""
        with aws_call("list models"):
            pages = self._dynamodb.get_paginator("scan").paginate(
                TableName=self._table, ConsistentRead=True
            )
            models = [_model_of(item) for page in pages for item in page["Items"]]
        return sorted(
            (model for model in models if model.chain_id is None), key=attrgetter("model_id")
        )

    def _fetched(self, model_id: str) -> Model | None:
        with aws_call("find model"):
            response = self._dynamodb.get_item(
                TableName=self._table, Key={"model_id": {"S": model_id}}
            )
        if "Item" not in response:
            return None
        return _model_of(response["Item"])


class DynamoApiKeyStore:
    """`ApiKeyStore` over one table; every attribute is text, times in ISO 8601."""

    def __init__(self, table: str, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def put(self, key: ApiKey) -> None:
        """Store a new key."""
        values: dict[str, str] = key.model_dump(mode="json", exclude_none=True)
        with aws_call("store API key"):
            self._dynamodb.put_item(
                TableName=self._table,
                Item={name: {"S": value} for name, value in values.items()},
            )

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this prefix, read consistently."""
        with aws_call("find API key"):
            response = self._dynamodb.get_item(
                TableName=self._table, Key={"prefix": {"S": prefix}}, ConsistentRead=True
            )
        return _key_of(response["Item"]) if "Item" in response else None

    def all(self) -> Sequence[ApiKey]:
        """Return every key, oldest first."""
        with aws_call("list API keys"):
            pages = self._dynamodb.get_paginator("scan").paginate(
                TableName=self._table, ConsistentRead=True
            )
            keys = [_key_of(item) for page in pages for item in page["Items"]]
        return sorted(keys, key=attrgetter("created_at"))

    def revoke(self, prefix: str, at: datetime) -> bool:
        """Revoke a key from `at` on; return whether there is such a key."""
        try:
            with aws_call("revoke API key"):
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key={"prefix": {"S": prefix}},
                    UpdateExpression="SET revoked_at = :at",
                    ConditionExpression="attribute_exists(prefix)",
                    ExpressionAttributeValues={":at": {"S": at.isoformat()}},
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _model_of(item: "Mapping[str, AttributeValueTypeDef]") -> Model:
    return Model.model_validate_json(item["model"]["S"])


def _key_of(item: "Mapping[str, AttributeValueTypeDef]") -> ApiKey:
    return ApiKey.model_validate({name: value["S"] for name, value in item.items()})
