"""Whom an endpoint name means: a model, `<model>-<environment>` or a deployment."""

import re

from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import UnknownModelError
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.submission import Target
from penstock.dialects.address import Address


def find_endpoint(name: str, catalog: Catalog) -> Deployment:
    """Return the deployment of an endpoint.

    Raises:
        UnknownModelError: there is none, in the words that SageMaker has for it.
    """
    try:
        return read_endpoint(name).resolve(catalog)
    except UnknownModelError as error:
        raise UnknownModelError(
            f"Endpoint {name} of this stack not found. An endpoint is a model,"
            " <model>-<environment> or <model>-<deployment>."
        ) from error


def read_endpoint(name: str) -> Address:
    """Return the readings of a name: the whole first, then the longest model id.

    What follows a model id is an environment, a deployment, or the end of a deployment id that
    begins with the model's.
    """
    readings = [Target(model_id=name)]
    for hyphen in reversed(list(re.finditer("(?<=.)-(?=.)", name))):
        model_id, rest = name[: hyphen.start()], name[hyphen.end() :]
        readings += [
            Target(model_id=model_id, environment=rest),
            Target(model_id=model_id, deployment_id=name),
            Target(model_id=model_id, deployment_id=rest),
        ]
    return Address(readings=tuple(readings))
