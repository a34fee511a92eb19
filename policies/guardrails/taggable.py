"""Which types carry tags, of the services that a stack is made of."""

_KINDS = {
    "acm": "Certificate",
    "apigateway": "ApiKey ClientCertificate DomainName RestApi Stage UsagePlan VpcLink",
    "apigatewayv2": "Api DomainName Stage VpcLink",
    "cloudwatch": "CompositeAlarm EventBus EventRule LogGroup MetricAlarm MetricStream",
    "dynamodb": "Table",
    "ebs": "Snapshot Volume",
    "ec2": "CapacityBlockReservation CapacityReservation DefaultNetworkAcl DefaultRouteTable"
    " DefaultSecurityGroup EgressOnlyInternetGateway Eip FlowLog Instance InternetGateway"
    " LaunchTemplate ManagedPrefixList NatGateway NetworkAcl NetworkInterface PlacementGroup"
    " RouteTable SecurityGroup Subnet Vpc VpcDhcpOptions VpcEndpoint VpcPeeringConnection",
    "ecr": "Repository",
    "eks": "AccessEntry Addon Capability Cluster FargateProfile NodeGroup PodIdentityAssociation",
    "iam": "InstanceProfile OpenIdConnectProvider Policy Role User",
    "kms": "Key ReplicaKey",
    "lambda": "CodeSigningConfig EventSourceMapping Function",
    "lb": "Listener ListenerRule LoadBalancer TargetGroup",
    "route53": "HealthCheck Zone",
    "s3": "Bucket BucketV2",
    "scheduler": "ScheduleGroup",
    "secretsmanager": "Secret",
    "sns": "Topic",
    "sqs": "Queue",
    "ssm": "Parameter",
    "vpc": "SecurityGroupEgressRule SecurityGroupIngressRule",
    "wafv2": "IpSet RuleGroup WebAcl",
    "xray": "Group SamplingRule",
}

TAGGABLE = frozenset(
    f"aws:{service}/{kind[0].lower()}{kind[1:]}:{kind}"
    for service, kinds in _KINDS.items()
    for kind in kinds.split()
)
