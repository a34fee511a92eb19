"""REST APIs: resources, methods, authorizers, answers of the gateway, stages."""

from typing import Any

from penstock.local.emulated_aws import ACCOUNT_ID, EmulatedAws
from penstock.local.materialise.registration import Made, Materialiser, Registration


def _given(**values: object) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _rest_api(aws: EmulatedAws, api: Registration) -> Made:
    name = api.take("name", api.name)
    api.pass_over("tags", "description", "endpointConfiguration", "disableExecuteApiEndpoint")
    made = aws.apigateway.create_rest_api(
        name=name, binaryMediaTypes=api.take("binaryMediaTypes", [])
    )
    return api.made(
        made["id"],
        name=name,
        arn=f"arn:aws:apigateway:{aws.region}::/restapis/{made['id']}",
        rootResourceId=made["rootResourceId"],
        executionArn=f"arn:aws:execute-api:{aws.region}:{ACCOUNT_ID}:{made['id']}",
    )


def _resource(aws: EmulatedAws, resource: Registration) -> Made:
    made = aws.apigateway.create_resource(
        restApiId=resource.need("restApi"),
        parentId=resource.need("parentId"),
        pathPart=resource.need("pathPart"),
    )
    return resource.made(made["id"], path=made["path"])


def _method(aws: EmulatedAws, method: Registration) -> Made:
    api, resource = method.need("restApi"), method.need("resourceId")
    verb = method.need("httpMethod")
    aws.apigateway.put_method(
        restApiId=api,
        resourceId=resource,
        httpMethod=verb,
        authorizationType=method.need("authorization"),
        requestParameters=method.take("requestParameters", {}),
        **_given(authorizerId=method.take("authorizerId")),
    )
    return method.made(f"{api}/{resource}/{verb}")


def _integration(aws: EmulatedAws, integration: Registration) -> Made:
    api, resource = integration.need("restApi"), integration.need("resourceId")
    verb = integration.need("httpMethod")
    aws.apigateway.put_integration(
        restApiId=api,
        resourceId=resource,
        httpMethod=verb,
        type=integration.need("type"),
        integrationHttpMethod=integration.need("integrationHttpMethod"),
        uri=integration.need("uri"),
        **_given(timeoutInMillis=integration.take("timeoutMilliseconds")),
    )
    return integration.made(f"{api}/{resource}/{verb}")


def _authorizer(aws: EmulatedAws, authorizer: Registration) -> Made:
    made = aws.apigateway.create_authorizer(
        restApiId=authorizer.need("restApi"),
        name=authorizer.take("name", authorizer.name),
        type=authorizer.need("type"),
        authorizerUri=authorizer.need("authorizerUri"),
        identitySource=authorizer.need("identitySource"),
        authorizerResultTtlInSeconds=authorizer.take("authorizerResultTtlInSeconds", 300),
    )
    return authorizer.made(made["id"])


def _gateway_answer(aws: EmulatedAws, answer: Registration) -> Made:
    api, kind = answer.need("restApiId"), answer.need("responseType")
    aws.apigateway.put_gateway_response(
        restApiId=api,
        responseType=kind,
        responseTemplates=answer.take("responseTemplates", {}),
        responseParameters=answer.take("responseParameters", {}),
        **_given(statusCode=answer.take("statusCode")),
    )
    return answer.made(f"{api}/{kind}")


def _deployment(aws: EmulatedAws, deployment: Registration) -> Made:
    deployment.pass_over("triggers", "description")
    made = aws.apigateway.create_deployment(restApiId=deployment.need("restApi"))
    return deployment.made(made["id"])


def _stage(aws: EmulatedAws, stage: Registration) -> Made:
    stage.pass_over("tags", "accessLogSettings", "xrayTracingEnabled", "description")
    api, name = stage.need("restApi"), stage.need("stageName")
    aws.apigateway.create_stage(
        restApiId=api, stageName=name, deploymentId=stage.need("deployment")
    )
    return stage.made(
        f"{api}/{name}",
        arn=f"arn:aws:apigateway:{aws.region}::/restapis/{api}/stages/{name}",
        executionArn=f"arn:aws:execute-api:{aws.region}:{ACCOUNT_ID}:{api}/{name}",
        invokeUrl=aws.rest_api_url(api, name),
    )


MATERIALISERS: dict[str, Materialiser] = {
    "aws:apigateway/authorizer:Authorizer": _authorizer,
    "aws:apigateway/deployment:Deployment": _deployment,
    "aws:apigateway/integration:Integration": _integration,
    "aws:apigateway/method:Method": _method,
    "aws:apigateway/resource:Resource": _resource,
    "aws:apigateway/response:Response": _gateway_answer,
    "aws:apigateway/restApi:RestApi": _rest_api,
    "aws:apigateway/stage:Stage": _stage,
}
