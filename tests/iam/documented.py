"""What AWS and software of others do in the names of our roles, as their documentation says.

Lambda's poller and runtime: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and
.../lambda-intro-execution-role.html. EventBridge Scheduler, VPC flow logs: their user guides.
KEDA: https://keda.sh/docs/2.20/scalers/aws-sqs/. cluster-autoscaler: the README of its provider
for AWS, with discovery by tags and launch templates. The collector: the READMEs of `awsemf` and
`awsxray`. EKS Pod Identity: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html.
"""

from collections.abc import Iterator

from tests.iam import processes
from tests.iam.account import Account
from tests.iam.evaluation import Access
from tests.iam.processes import DEPLOYMENT, FUNCTIONS, role_of
from tests.iam.recorder import Call

_AUTOSCALER_LOOKS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
)
_TO_XRAY = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
_TO_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")


def documented(account: Account, role: str) -> Iterator[Access]:
    """Yield what is done in the name of a role beside what our own code does."""
    access, declared = account.surroundings.access, account.declared
    if role in map(role_of, FUNCTIONS):
        yield from _observed(account, role.removesuffix("-role") + "-logs")
    match role:
        case "functions-webhooks-role":
            queue = account.variables_of("webhooks")["PENSTOCK_WEBHOOK_QUEUE_URL"]
            for operation in ("ReceiveMessage", "DeleteMessageBatch", "GetQueueAttributes"):
                yield from _on_queue(account, role, operation, queue)
        case "functions-sweeper-caller":
            alias = declared.named("functions-sweeper-live", "lambda/alias:Alias")
            yield access("lambda:InvokeFunction", alias.outputs["arn"])
        case "platform-network-rejected-writer":
            actions = (*_TO_LOGS, "logs:DescribeLogStreams")
            yield from _logged(account, "platform-network-rejected-lines", *actions)
        case "platform-collector-pod-role":
            yield from _observed(account, "platform-collector-records")
        case "platform-keda-operator-role":
            yield from _measured(account, role)
        case processes.WORKER:
            # The tags of a pod's session go with it into the role that it assumes.
            yield access("sts:TagSession", processes.MODEL_ROLE)
        case "platform-autoscaler-pod-role":
            yield from _sizing(account)


def _measured(account: Account, role: str) -> Iterator[Access]:
    variables = account.variables_of_worker(DEPLOYMENT)
    for priority in range(3):
        queue = variables[f"PENSTOCK_QUEUE_URL_P{priority}"]
        yield from _on_queue(account, role, "GetQueueAttributes", queue)


def _observed(account: Account, group: str) -> Iterator[Access]:
    yield from _logged(account, group, *_TO_LOGS)
    yield from (account.surroundings.access(action, "*") for action in _TO_XRAY)


def _logged(account: Account, group: str, *actions: str) -> Iterator[Access]:
    arn = account.declared.named(group, ":LogGroup").outputs["arn"]
    for action in actions:
        yield account.surroundings.access(action, f"{arn}:log-stream:any")


def _on_queue(account: Account, role: str, operation: str, url: str) -> Iterator[Access]:
    return account.surroundings.accesses(Call(role, "sqs", operation, {"QueueUrl": url}))


def _sizing(account: Account) -> Iterator[Access]:
    known = account.surroundings
    cluster = account.settings.cluster.name
    place = f"{known.region}:{known.account_id}"
    yield from (known.access(action, "*") for action in _AUTOSCALER_LOOKS)
    group = f"arn:aws:eks:{place}:nodegroup/{cluster}/gpu/0a1b"
    yield known.access("eks:DescribeNodegroup", group)
    scaled = f"arn:aws:autoscaling:{place}:autoScalingGroup:0a1b:autoScalingGroupName/eks-gpu"
    tags = {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}
    for action in ("SetDesiredCapacity", "TerminateInstanceInAutoScalingGroup"):
        yield known.access(f"autoscaling:{action}", scaled, **tags)
