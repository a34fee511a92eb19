"""A DynamoDB table as this platform wants each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, allow


class Attribute(NamedTuple):
    """An attribute that is part of a key."""

    name: str
    type: Literal["S", "N", "B"]


@dataclass(frozen=True, kw_only=True)
class Index:
    """A second way to find the keys of items; those that lack its attributes are not in it."""

    name: str
    hash_key: Attribute
    range_key: Attribute
    carried: Sequence[str] = ()
    """Further attributes that it holds beside the keys; better such as never change."""


@dataclass(frozen=True, kw_only=True)
class TableArgs:
    """What a table needs to know."""

    custody: Custody
    hash_key: str
    is_protected: bool
    """Whether it refuses to be deleted."""

    indexes: Sequence[Index] = ()
    purge_attribute: str | None = None
    """Epoch seconds after which DynamoDB may remove an item."""


class Table(pulumi.ComponentResource):
    """An encrypted table on demand that can be restored to any second of the last 35 days."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: TableArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:Table", name, {}, opts)
        keys = [Attribute(args.hash_key, "S")]
        keys += [key for index in args.indexes for key in (index.hash_key, index.range_key)]
        table = aws.dynamodb.Table(
            f"{name}-table",
            billing_mode="PAY_PER_REQUEST",
            hash_key=args.hash_key,
            # Indexes may share an attribute; DynamoDB wants each named once.
            attributes=[{"name": key.name, "type": key.type} for key in dict.fromkeys(keys)],
            global_secondary_indexes=[_declared(index) for index in args.indexes],
            ttl={"attribute_name": args.purge_attribute, "enabled": True}
            if args.purge_attribute
            else None,
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args.custody.key_arn},
            deletion_protection_enabled=args.is_protected,
            opts=pulumi.ResourceOptions(parent=self, protect=args.is_protected),
        )
        self.name, self.arn = table.name, table.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def statement_to_read(self) -> Statement:
        """Allow to get single items."""
        return allow("dynamodb:GetItem", self.arn)

    def statement_to_add(self) -> Statement:
        """Allow to put items."""
        return allow("dynamodb:PutItem", self.arn)

    def statement_to_advance(self) -> Statement:
        """Allow to get single items and to change them."""
        return allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], self.arn)

    def statement_to_change(self, prefix: str | None = None) -> Statement:
        """Allow to change items, which answers what they then are, and nothing else.

        With `prefix`, only items whose keys begin with it.
        """
        return allow("dynamodb:UpdateItem", self.arn, _keys_that_begin_with(prefix))

    def statement_to_read_many(self, prefix: str | None = None) -> Statement:
        """Allow to get many items by their keys; with `prefix`, by keys that begin with it."""
        return allow("dynamodb:BatchGetItem", self.arn, _keys_that_begin_with(prefix))

    def statement_to_query(self, *indexes: Index) -> Statement:
        """Allow to find keys in indexes."""
        arns = [pulumi.Output.concat(self.arn, "/index/", index.name) for index in indexes]
        return allow("dynamodb:Query", arns)

    def statement_to_list(self) -> Statement:
        """Allow to read the whole table."""
        return allow("dynamodb:Scan", self.arn)


def _keys_that_begin_with(prefix: str | None) -> Mapping[str, Any] | None:
    if prefix is None:
        return None
    # A batch names many keys; each of them must be allowed.
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{prefix}*"]}}


def _declared(index: Index) -> aws.dynamodb.TableGlobalSecondaryIndexArgsDict:
    return {
        "name": index.name,
        # A change of anything else in an item then writes no index.
        "projection_type": "INCLUDE" if index.carried else "KEYS_ONLY",
        "non_key_attributes": list(index.carried) or None,
        "key_schemas": [
            {"attribute_name": index.hash_key.name, "key_type": "HASH"},
            {"attribute_name": index.range_key.name, "key_type": "RANGE"},
        ],
    }
