"""A cloud whose names cannot be guessed and whose ARNs are shaped as in AWS.

Pulumi makes names unique with characters that nobody knows before. With them here, a name or an
ARN that the program spells instead of taking it from its resource is of nothing in the graph.
"""

from hashlib import sha256
from typing import Any

import pulumi

from tests.infra.recording import ACCOUNT, CloudMocks

_OWN_NAMES = ("bucket", "dashboardName", "stageName", "nodeGroupName")
"""Where types keep a name that other types keep in `name`."""

_ARNS = {
    "aws:acm/certificate:Certificate": "acm:{region}:{account}:certificate/{id}",
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:dynamodb/table:Table": "dynamodb:{region}:{account}:table/{name}",
    "aws:ecr/repository:Repository": "ecr:{region}:{account}:repository/{name}",
    "aws:eks/cluster:Cluster": "eks:{region}:{account}:cluster/{name}",
    "aws:iam/instanceProfile:InstanceProfile": "iam::{account}:instance-profile/{name}",
    "aws:iam/policy:Policy": "iam::{account}:policy/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:kms/key:Key": "kms:{region}:{account}:key/{id}",
    "aws:lambda/function:Function": "lambda:{region}:{account}:function:{name}",
    "aws:s3/bucket:Bucket": "s3:::{name}",
    "aws:secretsmanager/secret:Secret": "secretsmanager:{region}:{account}:secret:{name}-{hash}",
    "aws:sns/topic:Topic": "sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "sqs:{region}:{account}:{name}",
    "aws:wafv2/webAcl:WebAcl": "wafv2:{region}:{account}:regional/webacl/{name}/{id}",
}


_IDS = {"aws:ec2/securityGroup:SecurityGroup": "sg", "aws:ec2/subnet:Subnet": "subnet"}
"""How the ids of those types begin whose form others check."""


class Lifelike(CloudMocks):
    """Answers as AWS in `region` would."""

    def __init__(self, region: str) -> None:
        self._region = region

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        _, state = super().new_resource(args)
        digest = sha256(f"{args.typ} {args.name}".encode()).hexdigest()
        found_id = _IDS.get(args.typ, args.name) + f"-{digest[:12]}"
        name = physical_name(args.inputs, f"{args.name}-{digest[:7]}")
        place = {"region": self._region, "account": ACCOUNT, "name": name, "id": found_id}
        state["name"] = name
        if args.typ in _ARNS:
            state["arn"] = "arn:aws:" + _ARNS[args.typ].format(**place, hash=digest[:6])
        if args.typ == "aws:s3/bucket:Bucket":
            state["bucket"] = found_id = name
        state |= self._computed(args, name, found_id)
        return found_id, {**state, "id": found_id}

    def _computed(
        self, args: pulumi.runtime.MockResourceArgs, name: str, found_id: str
    ) -> dict[str, Any]:
        lambdas = f"arn:aws:lambda:{self._region}:{ACCOUNT}:function"
        gateway = f"arn:aws:apigateway:{self._region}"
        match args.typ:
            case "aws:sqs/queue:Queue":
                return {"url": f"https://sqs.{self._region}.amazonaws.com/{ACCOUNT}/{name}"}
            case "aws:lambda/alias:Alias":
                arn = f"{lambdas}:{args.inputs['functionName']}:{name}"
                called = f"{gateway}:lambda:path/2015-03-31/functions/{arn}/invocations"
                return {"arn": arn, "invokeArn": called}
            case "aws:apigateway/restApi:RestApi":
                arn = f"arn:aws:execute-api:{self._region}:{ACCOUNT}:{found_id}"
                return {"executionArn": arn, "arn": f"{gateway}::/restapis/{found_id}"}
            case "aws:apigateway/stage:Stage":
                return {"arn": f"{gateway}::/restapis/{args.inputs['restApi']}/stages/{name}"}
            case _:
                return {}


def physical_name(inputs: dict[str, Any], otherwise: str) -> str:
    """Return the name that the program gives a resource, or the one that Pulumi would make."""
    given: str = next(
        (inputs[key] for key in ("name", *_OWN_NAMES) if isinstance(inputs.get(key), str)),
        otherwise,
    )
    return given
