"""The Kubernetes cluster of a stack: one that is there, or one that the stack creates."""

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.network_settings import NetworkSettings
from infra.settings.settings import Settings

_WIDEST_PREFIX = 8


def _limited(text: str) -> str:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a network such as 198.51.100.7/32: {error}") from error
    if network.prefixlen < _WIDEST_PREFIX:
        raise ValueError(
            f"{text} lets the Internet reach the Kubernetes API: name the networks that you"
            " deploy and operate from"
        )
    return text


def _each_once(arns: tuple[str, ...]) -> tuple[str, ...]:
    names = [arn.rpartition("/")[2] for arn in arns]
    if len(set(names)) < len(names):
        raise ValueError(f"two roles have the same name: {', '.join(arns)}")
    return arns


RoleArn = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/[\w+=,.@/-]+$")]
Capacity = Literal["spot", "on-demand"]


class FleetSettings(Settings):
    """The nodes that workers run on.

    Which there are follows from the models' instances. Every group of them begins with no node
    and goes back to none.
    """

    capacity: Annotated[tuple[Capacity, ...], Field(min_length=1, max_length=2)] = (
        "spot",
        "on-demand",
    )
    """What to try first, and what when that is not to be had."""

    max_nodes: Annotated[int, Field(ge=1, le=450)] = 20
    """The most nodes of one group, however many replicas its models allow."""

    autoscaler: Literal["cluster-autoscaler", "karpenter"] = "cluster-autoscaler"
    """What adds nodes: managed node groups that cluster-autoscaler sizes, or Karpenter."""

    @model_validator(mode="after")
    def _tries_each_once(self) -> Self:
        if len(set(self.capacity)) < len(self.capacity):
            raise ValueError(f"capacity: {', '.join(self.capacity)} names one twice")
        return self


class SystemNodeSettings(Settings):
    """The nodes that DNS, KEDA and the autoscaler run on, always on."""

    instance_type: Literal["m7g.large", "m7g.xlarge", "m7g.2xlarge"] = "m7g.large"
    """Their machine; larger ones for hundreds of deployments."""

    count: Annotated[int, Field(ge=2, le=6)] = 2
    """Nodes; two at least: one may be lost or replaced."""


class NewClusterSettings(Settings):
    """An EKS cluster."""

    version: Literal["1.33", "1.34", "1.35", "1.36"] = "1.35"
    """AWS asks six times the price for a version that has left standard support, and does not
    let it: the cluster is upgraded then."""

    public_access_cidrs: Annotated[
        tuple[Annotated[str, AfterValidator(_limited)], ...], Field(min_length=1)
    ]
    """From where the Kubernetes API can be reached, `pulumi up` included."""

    admin_role_arns: Annotated[tuple[RoleArn, ...], Field(min_length=1), AfterValidator(_each_once)]
    """IAM roles that may do everything in the cluster. The role that runs `pulumi up` must be
    one of them, or the first deployment ends where Kubernetes begins."""

    system_nodes: SystemNodeSettings = SystemNodeSettings()
    fleet: FleetSettings = FleetSettings()
    image_mirror: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]+[a-z0-9]$")] | None = None
    """A registry that holds the images of the add-ons under their own names:
    `<mirror>/kedacore/keda`. Needed without a way out, where only ECR can be reached."""


class ClusterSettings(Settings):
    """The Kubernetes cluster that workers run in: `kubeconfig_context` or `create` is given."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
    """The EKS cluster's name, to which pod identities are bound."""

    kubeconfig_context: Annotated[str, Field(min_length=1)] | None = None
    """The context of your kubeconfig that reaches a cluster that is there."""

    create: NewClusterSettings | None = None
    """A cluster that this stack creates, in the network of `network`."""

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] = "penstock"
    """The Kubernetes namespace of the workers. The stack makes it."""

    @model_validator(mode="after")
    def _is_there_or_created(self) -> Self:
        if (self.kubeconfig_context is None) == (self.create is None):
            raise ValueError(
                "give kubeconfig_context for a cluster that is there, or create for a new one"
            )
        return self

    def check_network(self, network: NetworkSettings | None) -> None:
        """Check that a network comes with a cluster that needs one.

        Raises:
            ValueError: it does not.
        """
        if self.create is None:
            if network is not None:
                raise ValueError("network: is for a cluster that this stack creates; leave it out")
            return
        if network is None:
            raise ValueError(
                "cluster.create: needs a network; add a block network, even an empty one"
            )
        if network.egress == "private" and self.create.image_mirror is None:
            raise ValueError(
                "cluster.create.image_mirror: without a way out (network.egress: private) the"
                " add-ons' images must be in a registry of yours; name it"
            )
