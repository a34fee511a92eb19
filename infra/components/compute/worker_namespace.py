"""The namespace of all workers: what they may be, and with whom they talk."""

from infra.components.compute.model_server import DISPATCHER_PORT
from infra.components.isolation.closed_namespace import ClosedNamespaceArgs, Opening
from infra.components.isolation.surroundings import Surroundings
from infra.components.isolation.ways import DNS, POD_IDENTITY, scrapes
from infra.components.observability.collector.collector import TO_COLLECTOR


def worker_namespace(namespace: str, around: Surroundings) -> ClosedNamespaceArgs:
    """Return what the namespace needs to know: workers find AWS, and Prometheus finds them.

    A model server that must reach more, such as a database, is given a NetworkPolicy of its own:
    policies add up.
    """
    work = Opening(
        incoming=[scrapes(DISPATCHER_PORT)],
        outgoing=[DNS, POD_IDENTITY, around.to_aws(), TO_COLLECTOR],
    )
    return ClosedNamespaceArgs(
        namespace=namespace, pod_security="restricted", openings={"work": work}
    )
