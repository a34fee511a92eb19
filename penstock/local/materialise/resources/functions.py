"""Lambda functions, what invokes them, their roles and their log groups."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.local.emulated_aws import ACCOUNT_ID, EmulatedAws
from penstock.local.materialise.registration import (
    Made,
    MaterialiseError,
    Materialiser,
    Registration,
)

FUNCTION = "aws:lambda/function:Function"

_START_SECONDS = 120.0
_LOOK_SECONDS = 0.05


def await_started(aws: EmulatedAws, functions: Iterable[Mapping[str, Any]]) -> None:
    """Wait for the processes of functions that start when they are published.

    A call that came earlier would start a second process beside the first.

    Raises:
        MaterialiseError: a function does not start; the text carries the reason.
    """
    deadline = time.monotonic() + _START_SECONDS
    for function in functions:
        if not function.get("snapStart"):
            continue
        which = {"FunctionName": function["name"], "Qualifier": function["version"]}
        while (seen := aws.lambda_.get_function_configuration(**which))["State"] == "Pending":
            if time.monotonic() > deadline:
                raise MaterialiseError(f"function {function['name']} does not start")
            time.sleep(_LOOK_SECONDS)
        if seen["State"] == "Failed":
            raise MaterialiseError(
                f"function {function['name']} does not start: {seen['StateReason']}"
            )


def _invoke_arn(aws: EmulatedAws, function_arn: str) -> str:
    service = f"arn:aws:apigateway:{aws.region}:lambda:path/2015-03-31"
    return f"{service}/functions/{function_arn}/invocations"


def _archive(function: Registration) -> Path:
    code = function.need("code")
    path = getattr(code, "path", None)
    if path is None:
        raise MaterialiseError(f"{function}: code is not a FileArchive")
    return Path(path)


def _function(aws: EmulatedAws, function: Registration) -> Made:
    name = function.take("name", function.name)
    function.pass_over(
        "tags", "architectures", "sourceCodeHash", "tracingConfig", "loggingConfig",
        "reservedConcurrentExecutions", "description",
    )  # fmt: skip
    variables: dict[str, str] = function.take("environment", {}).get("variables", {})
    # The archive runs in MiniStack's interpreter whatever the runtime's name says.
    runtime: Any = function.need("runtime")
    snapshots = function.take("snapStart") or {}
    made = aws.lambda_.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=function.need("role"),
        Handler=function.need("handler"),
        Code=aws.keep_archive(_archive(function)),
        Environment={"Variables": variables},
        Timeout=function.take("timeout", 3),
        MemorySize=function.take("memorySize", 128),
        Publish=function.take("publish", default=False),
        # The emulator then starts the function's process at once.
        SnapStart={"ApplyOn": snapshots.get("applyOn", "None")},
    )
    return _made(aws, function, name, made["FunctionArn"], made["Version"])


def _made(aws: EmulatedAws, function: Registration, name: str, arn: str, version: str) -> Made:
    return function.made(
        name,
        name=name,
        arn=arn,
        invokeArn=_invoke_arn(aws, arn),
        version=version,
        qualifiedArn=f"{arn}:{version}",
        qualifiedInvokeArn=_invoke_arn(aws, f"{arn}:{version}"),
    )


def _alias(aws: EmulatedAws, alias: Registration) -> Made:
    name = alias.take("name", alias.name)
    alias.pass_over("description")
    arn = aws.lambda_.create_alias(
        FunctionName=alias.need("functionName"),
        FunctionVersion=alias.need("functionVersion"),
        Name=name,
    )["AliasArn"]
    return alias.made(arn, name=name, arn=arn, invokeArn=_invoke_arn(aws, arn))


def _permission(aws: EmulatedAws, permission: Registration) -> Made:
    statement_id = permission.take("statementId", permission.name)
    optional = {
        "SourceArn": permission.take("sourceArn"),
        "SourceAccount": permission.take("sourceAccount"),
        "Qualifier": permission.take("qualifier"),
    }
    given: dict[str, Any] = {key: value for key, value in optional.items() if value}
    aws.lambda_.add_permission(
        FunctionName=permission.need("function"),
        StatementId=statement_id,
        Action=permission.need("action"),
        Principal=permission.need("principal"),
        **given,
    )
    return permission.made(statement_id)


def _event_source_mapping(aws: EmulatedAws, mapping: Registration) -> Made:
    mapping.pass_over("tags", "metricsConfig")
    maximum = mapping.take("scalingConfig", {}).get("maximumConcurrency")
    scaling: dict[str, Any] = {"ScalingConfig": {"MaximumConcurrency": maximum}} if maximum else {}
    uuid = aws.lambda_.create_event_source_mapping(
        EventSourceArn=mapping.need("eventSourceArn"),
        FunctionName=mapping.need("functionName"),
        BatchSize=mapping.take("batchSize", 10),
        MaximumBatchingWindowInSeconds=mapping.take("maximumBatchingWindowInSeconds", 0),
        FunctionResponseTypes=mapping.take("functionResponseTypes", []),
        Enabled=mapping.take("enabled", default=True),
        **scaling,
    )["UUID"]
    return mapping.made(uuid, uuid=uuid)


def _role(aws: EmulatedAws, role: Registration) -> Made:
    name = role.take("name", role.name)
    role.pass_over("tags", "description", "maxSessionDuration")
    arn = aws.iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=role.need("assumeRolePolicy"),
        Path=role.take("path", "/"),
    )["Role"]["Arn"]
    return role.made(name, name=name, arn=arn)


def _role_policy(aws: EmulatedAws, policy: Registration) -> Made:
    name, role = policy.take("name", policy.name), policy.need("role")
    aws.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy.need("policy"))
    return policy.made(f"{role}:{name}", name=name)


def _policy(aws: EmulatedAws, policy: Registration) -> Made:
    name = policy.take("name", policy.name)
    policy.pass_over("tags", "description", "path")
    document = policy.need("policy")
    arn = aws.iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    return policy.made(arn, name=name, arn=arn)


def _log_group(aws: EmulatedAws, group: Registration) -> Made:
    name = group.take("name", group.name)
    group.pass_over("tags", "retentionInDays", "kmsKeyId", "logGroupClass", "skipDestroy")
    aws.logs.create_log_group(logGroupName=name)
    arn = f"arn:aws:logs:{aws.region}:{ACCOUNT_ID}:log-group:{name}"
    return group.made(name, name=name, arn=arn)


MATERIALISERS: dict[str, Materialiser] = {
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:lambda/alias:Alias": _alias,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source_mapping,
    FUNCTION: _function,
    "aws:lambda/permission:Permission": _permission,
}
