"""Whom a DataCrunch call addresses: `/containers/<name>/…`."""

from penstock.contracts.errors import UnknownModelError
from penstock.contracts.submission import Target
from penstock.dialects.address import Address
from penstock.dialects.http_call import HttpCall

RESERVED_NAMES = frozenset({"status", "result"})
"""Siblings of the deployments in the vendor's URLs, so no deployment can have such a name."""


def read_address(call: HttpCall) -> Address:
    """Return what the name may mean: a model, one of its environments, or one deployment.

    Raises:
        UnknownModelError: the name is reserved, so the caller meant another call.
    """
    name = call.path_parameters["deployment"]
    if name in RESERVED_NAMES:
        raise UnknownModelError(f"send GET /containers/{name}/<deployment>")
    return Address(
        readings=(Target(model_id=name), *_splits(name)),
        hint="a deployment is called <model>, <model>-<environment> or <model>-<deployment>",
    )


def _splits(name: str) -> list[Target]:
    """Return environment and deployment for each hyphen, the longest model id first."""
    targets: list[Target] = []
    for hyphen in (at for at in reversed(range(len(name))) if name[at] == "-"):
        model_id, environment = name[:hyphen], name[hyphen + 1 :]
        if model_id and environment:
            targets += [
                Target(model_id=model_id, environment=environment),
                Target(model_id=model_id, deployment_id=name),
            ]
    return targets
