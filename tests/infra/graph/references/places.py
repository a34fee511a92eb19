"""Inputs that refer to other resources, and what they may be."""

Target = tuple[str, str]
"""The end of a resource's type, and which of its outputs is meant."""

_ALIAS: Target = ("lambda/alias:Alias", "arn")
_API: Target = ("apigateway/restApi:RestApi", "id")
_BUCKET: Target = ("s3/bucket:Bucket", "id")
_CERTIFICATE: Target = ("acm/certificate:Certificate", "arn")
_CLUSTER: Target = ("eks/cluster:Cluster", "name")
_FUNCTION: Target = ("lambda/function:Function", "name")
_KEY: Target = ("kms/key:Key", "arn")
_LOGS: Target = ("cloudwatch/logGroup:LogGroup", "arn")
_QUEUE: Target = ("sqs/queue:Queue", "arn")
_QUEUE_URL: Target = ("sqs/queue:Queue", "url")
_ROLE: Target = ("iam/role:Role", "arn")
_SECRET: Target = ("secretsmanager/secret:Secret", "arn")
_STAGE: Target = ("apigateway/stage:Stage", "stageName")
_SUBNET: Target = ("ec2/subnet:Subnet", "id")
_TABLE: Target = ("dynamodb/table:Table", "name")
_TOPIC: Target = ("sns/topic:Topic", "arn")

PLACES: dict[str, tuple[Target, ...]] = {
    "alarmActions": (_TOPIC,),
    "allocationId": (("ec2/eip:Eip", "allocationId"),),
    "authorizerId": (("apigateway/authorizer:Authorizer", "id"),),
    "autoscalingGroupName": (("eks/nodeGroup:NodeGroup", "resources"),),
    "bucket": (_BUCKET,),
    "certificateArn": (_CERTIFICATE,),
    "cloudwatchRoleArn": (_ROLE,),
    "clusterName": (_CLUSTER,),
    "deployment": (("apigateway/deployment:Deployment", "id"),),
    "destinationArn": (_LOGS,),
    "eventSourceArn": (_QUEUE,),
    "functionName": (_FUNCTION, _ALIAS),
    "gatewayId": (("ec2/internetGateway:InternetGateway", "id"),),
    "iamRoleArn": (_ROLE,),
    "instanceProfile": (("iam/instanceProfile:InstanceProfile", "name"),),
    "interruptionQueue": (("sqs/queue:Queue", "name"),),
    "keyArn": (_KEY,),
    "kmsKeyArn": (_KEY,),
    "kmsKeyId": (_KEY,),
    "kmsMasterKeyId": (_KEY,),
    "logDestination": (_LOGS,),
    "logGroup": (("cloudwatch/logGroup:LogGroup", "name"),),
    "natGatewayId": (("ec2/natGateway:NatGateway", "id"),),
    "nodeRoleArn": (_ROLE,),
    "okActions": (_TOPIC,),
    "queueURL": (_QUEUE_URL,),
    "queueUrl": (_QUEUE_URL,),
    "regionalCertificateArn": (_CERTIFICATE,),
    "resourceId": (
        ("apigateway/resource:Resource", "id"),
        ("apigateway/restApi:RestApi", "rootResourceId"),
    ),
    "restApi": (_API,),
    "restApiId": (_API,),
    "roleArn": (_ROLE,),
    "routeTableId": (("ec2/routeTable:RouteTable", "id"),),
    "routeTableIds": (("ec2/routeTable:RouteTable", "id"),),
    "secretId": (_SECRET, ("secretsmanager/secret:Secret", "id")),
    "securityGroupId": (("ec2/securityGroup:SecurityGroup", "id"),),
    "securityGroupIds": (("ec2/securityGroup:SecurityGroup", "id"),),
    "stageName": (_STAGE,),
    "subnetId": (_SUBNET,),
    "subnetIds": (_SUBNET,),
    "tableName": (_TABLE,),
    "targetKeyId": (("kms/key:Key", "id"),),
    "topic": (_TOPIC,),
    "vpcId": (("ec2/vpc:Vpc", "id"),),
    "webAclArn": (("wafv2/webAcl:WebAcl", "arn"),),
    # What alarms and the dashboard look at.
    "ApiName": (("apigateway/restApi:RestApi", "name"),),
    "FunctionName": (_FUNCTION,),
    "QueueName": (("sqs/queue:Queue", "name"),),
}
"""By key, wherever it stands; a key of another meaning stands in `PLACES_OF_TYPES`."""

PLACES_OF_TYPES: dict[tuple[str, str], tuple[Target, ...]] = {
    ("apigateway/resource:Resource", "parentId"): PLACES["resourceId"],
    ("cloudwatch/eventTarget:EventTarget", "arn"): (_QUEUE,),
    ("cloudwatch/eventTarget:EventTarget", "rule"): (("cloudwatch/eventRule:EventRule", "name"),),
    ("ecr/lifecyclePolicy:LifecyclePolicy", "repository"): (("ecr/repository:Repository", "name"),),
    ("iam/instanceProfile:InstanceProfile", "role"): (("iam/role:Role", "name"),),
    ("iam/rolePolicy:RolePolicy", "role"): (("iam/role:Role", "name"),),
    ("iam/rolePolicyAttachment:RolePolicyAttachment", "role"): (("iam/role:Role", "name"),),
    ("lambda/function:Function", "role"): (_ROLE,),
    ("lambda/permission:Permission", "function"): (_FUNCTION,),
    ("sns/topicPolicy:TopicPolicy", "arn"): (_TOPIC,),
    ("scheduler/schedule:Schedule", "arn"): (_ALIAS,),
}

VARIABLES: dict[str, tuple[Target, ...]] = {
    "PENSTOCK_API_KEYS_TABLE": (_TABLE,),
    "PENSTOCK_CATALOG_TABLE": (_TABLE,),
    "PENSTOCK_DEAD_LETTER_QUEUE_URL": (_QUEUE_URL,),
    "PENSTOCK_FAILED_TOPIC": (_TOPIC,),
    "PENSTOCK_LIMITS_TABLE": (_TABLE,),
    "PENSTOCK_PAYLOADS_BUCKET": (_BUCKET,),
    "PENSTOCK_QUEUE_URL_P0": (_QUEUE_URL,),
    "PENSTOCK_QUEUE_URL_P1": (_QUEUE_URL,),
    "PENSTOCK_QUEUE_URL_P2": (_QUEUE_URL,),
    "PENSTOCK_REQUESTS_TABLE": (_TABLE,),
    "PENSTOCK_RESULTS_BUCKET": (_BUCKET,),
    "PENSTOCK_SIGNING_MASTER_SECRET_ID": (_SECRET,),
    "PENSTOCK_SIGNING_SECRET_ID": (_SECRET,),
    "PENSTOCK_SUCCEEDED_TOPIC": (_TOPIC,),
    "PENSTOCK_WEBHOOK_DEAD_LETTER_QUEUE_URL": (_QUEUE_URL,),
    "PENSTOCK_WEBHOOK_QUEUE_URL": (_QUEUE_URL,),
}
"""By the name of an environment variable, of functions and containers."""
