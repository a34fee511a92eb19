"""Lambda, API Gateway and CloudWatch."""

from typing import Any

from tests.infra.graph.cloudformation.kinds import Kind, Part
from tests.infra.graph.cloudformation.properties import (
    Fragment,
    NotRenderedError,
    inside,
    listed,
    nothing,
    pairs,
    renamed,
    same,
    within,
)

_OF_API = {"restApi": renamed("RestApiId")}
_METHOD_SETTINGS = {
    **same("loggingLevel", "metricsEnabled", "throttlingBurstLimit", "throttlingRateLimit"),
}


def _method_settings(settings: dict[str, Any]) -> Fragment:
    every = {"HttpMethod": "*", "ResourcePath": "/*"}
    found = inside("MethodSettings", _METHOD_SETTINGS)([settings])
    return {"MethodSettings": [{**every, **found["MethodSettings"][0]}]}


def _every_method(path: str) -> Fragment:
    if path != "*/*":
        raise NotRenderedError(f"settings of {path}")
    return {}


FUNCTIONS: dict[str, Kind | Part] = {
    "aws:lambda/function:Function": Kind(
        "AWS::Lambda::Function",
        name="FunctionName",
        properties={
            **same("architectures", "handler", "memorySize", "role", "runtime", "timeout"),
            # An archive of this machine; a stack of CloudFormation would name one in a bucket.
            "code": lambda _: {"Code": {"S3Bucket": "archives", "S3Key": "functions.zip"}},
            "environment": inside("Environment", same("variables")),
            "loggingConfig": inside("LoggingConfig", same("logFormat", "logGroup")),
            "publish": nothing,
            "reservedConcurrentExecutions": renamed("ReservedConcurrentExecutions"),
            "snapStart": inside("SnapStart", same("applyOn")),
            "tracingConfig": inside("TracingConfig", same("mode")),
        },
    ),
    "aws:lambda/alias:Alias": Kind(
        "AWS::Lambda::Alias", name="Name", properties=same("functionName", "functionVersion")
    ),
    "aws:lambda/permission:Permission": Kind(
        "AWS::Lambda::Permission",
        {
            **same("action", "principal", "sourceArn"),
            "function": renamed("FunctionName"),
            "qualifier": nothing,  # CloudFormation's functions have it in their name
        },
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Kind(
        "AWS::Lambda::EventSourceMapping",
        {
            **same("batchSize", "eventSourceArn", "functionName", "functionResponseTypes"),
            "scalingConfig": inside("ScalingConfig", same("maximumConcurrency")),
        },
    ),
    "aws:apigateway/restApi:RestApi": Kind(
        "AWS::ApiGateway::RestApi",
        name="Name",
        properties={
            **same("binaryMediaTypes", "description", "disableExecuteApiEndpoint"),
            "endpointConfiguration": inside("EndpointConfiguration", {"types": listed("Types")}),
        },
    ),
    "aws:apigateway/account:Account": Kind(
        "AWS::ApiGateway::Account", {"cloudwatchRoleArn": renamed("CloudWatchRoleArn")}
    ),
    "aws:apigateway/authorizer:Authorizer": Kind(
        "AWS::ApiGateway::Authorizer",
        name="Name",
        properties={
            **_OF_API,
            **same("authorizerResultTtlInSeconds", "authorizerUri", "identitySource", "type"),
        },
    ),
    "aws:apigateway/resource:Resource": Kind(
        "AWS::ApiGateway::Resource", {**_OF_API, **same("parentId", "pathPart")}
    ),
    "aws:apigateway/method:Method": Kind(
        "AWS::ApiGateway::Method",
        {
            **_OF_API,
            **same("authorizerId", "httpMethod", "requestParameters", "resourceId"),
            "authorization": renamed("AuthorizationType"),
        },
    ),
    "aws:apigateway/integration:Integration": Part(
        "aws:apigateway/method:Method",
        {"resourceId": "resourceId", "httpMethod": "httpMethod", "restApi": "restApi"},
        within(
            "Integration",
            {
                **same("integrationHttpMethod", "type", "uri"),
                "timeoutMilliseconds": renamed("TimeoutInMillis"),
            },
        ),
    ),
    "aws:apigateway/response:Response": Kind(
        "AWS::ApiGateway::GatewayResponse",
        {**same("responseTemplates", "responseType", "restApiId", "statusCode")},
    ),
    "aws:apigateway/deployment:Deployment": Kind(
        "AWS::ApiGateway::Deployment", {**_OF_API, "triggers": nothing}
    ),
    "aws:apigateway/stage:Stage": Kind(
        "AWS::ApiGateway::Stage",
        {
            **_OF_API,
            "accessLogSettings": inside("AccessLogSetting", same("destinationArn", "format")),
            "deployment": renamed("DeploymentId"),
            "stageName": renamed("StageName"),
            "xrayTracingEnabled": renamed("TracingEnabled"),
        },
    ),
    "aws:apigateway/methodSettings:MethodSettings": Part(
        "aws:apigateway/stage:Stage",
        {"restApi": "restApi", "stageName": "stageName"},
        {"methodPath": _every_method, "settings": _method_settings},
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        "AWS::CloudWatch::Dashboard", same("dashboardBody", "dashboardName")
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        "AWS::Logs::LogGroup",
        name="LogGroupName",
        properties={
            **same("kmsKeyId", "retentionInDays"),
        },
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        "AWS::CloudWatch::Alarm",
        name="AlarmName",
        properties={
            **same(
                "alarmActions",
                "alarmDescription",
                "comparisonOperator",
                "datapointsToAlarm",
                "evaluationPeriods",
                "threshold",
                "treatMissingData",
            ),
            "okActions": renamed("OKActions"),
            "metricQueries": inside(
                "Metrics",
                {
                    **same("expression", "id", "label", "period", "returnData"),
                    "metric": inside(
                        "MetricStat",
                        {
                            **within(
                                "Metric",
                                {
                                    **same("metricName", "namespace"),
                                    "dimensions": pairs("Dimensions", "Name", "Value"),
                                },
                            ),
                            **same("period", "stat"),
                        },
                    ),
                },
            ),
        },
    ),
}
