"""The Truss directories of a stack, looked at before anything is built or started."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.artifacts.truss.config_file import config_findings, read_config
from infra.artifacts.truss.model_class import model_findings
from infra.artifacts.truss.treatment import Asked, Place, Treatment
from infra.artifacts.workspace import ROOT, ArtifactError
from infra.settings.model_settings import DeploymentSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError


@dataclass
class Checked:
    """What was found."""

    refusals: list[str] = field(default_factory=list)
    """What cannot be served; each names its deployment, directory and key."""

    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What has no effect, by deployment id."""


def look_at(settings: StackSettings, place: Place) -> Checked:
    """Return what Truss directories ask for that has no effect in a place, or cannot be served."""
    checked = Checked()
    for model_id, model in settings.models.items():
        for name, deployment in model.deployments.items():
            if deployment.truss is not None:
                _look_at(f"{model_id}-{name}", deployment, place, checked)
    return checked


def check_for_images(settings: StackSettings) -> Mapping[str, tuple[str, ...]]:
    """Return what images of Truss directories will not follow, by deployment id.

    Raises:
        SettingsError: one of them cannot be served; each line names a deployment and a key.
    """
    checked = look_at(settings, "image")
    if checked.refusals:
        raise SettingsError("\n".join(checked.refusals))
    return checked.notes


def _look_at(
    deployment_id: str, deployment: DeploymentSettings, place: Place, checked: Checked
) -> None:
    directory = ROOT / str(deployment.truss)
    try:
        config = read_config(directory)
    except ArtifactError as error:
        checked.refusals.append(f"deployment {deployment_id}: {error}")
        return
    notes = []
    found = (
        *config_findings(place, Asked(config, deployment)),
        *model_findings(directory, config),
    )
    for finding in found:
        if finding.treatment is Treatment.REFUSED:
            checked.refusals.append(
                f"deployment {deployment_id}: {deployment.truss}/{finding.text}"
            )
        else:
            notes.append(finding.text)
    checked.notes[deployment_id] = tuple(notes)
