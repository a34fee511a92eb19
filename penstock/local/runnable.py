"""What of a stack can run on this machine, found out before anything of it is started."""

from collections.abc import Iterator, Mapping

from infra.artifacts.model_image import container_context
from infra.artifacts.truss.directories import look_at
from infra.artifacts.workspace import ROOT
from infra.settings.model_settings import DeploymentSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import PenstockError, SettingsError
from penstock.local.pods.images.container_app import ContainerContext

_NEEDS_DOCKER = (
    "image: a ready image needs Docker; locally only Truss directories and Python programs run:"
    " leave the deployment out of the settings of the local stack"
)


def check_runnable(settings: StackSettings) -> Mapping[str, tuple[str, ...]]:
    """Return what of Truss directories is not followed on this machine, by deployment id.

    Raises:
        SettingsError: a deployment cannot run here; each line names one, and what to do.
    """
    checked = look_at(settings, "laptop")
    refusals = [*checked.refusals, *_refused_others(settings)]
    if refusals:
        raise SettingsError("\n".join(refusals))
    return checked.notes


def _refused_others(settings: StackSettings) -> Iterator[str]:
    for model_id, model in settings.models.items():
        for name, deployment in model.deployments.items():
            if deployment.image is not None:
                yield f"deployment {model_id}-{name}: {_NEEDS_DOCKER}"
            elif deployment.container is not None:
                try:
                    _check_container(deployment)
                except PenstockError as error:
                    yield f"deployment {model_id}-{name}: {error}"


def _check_container(deployment: DeploymentSettings) -> None:
    folder = container_context(ROOT / str(deployment.container))
    program = ContainerContext.at(folder)
    if program is not None:
        program.check(deployment.args)
