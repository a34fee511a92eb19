"""A stack file, made from an example whose comments it keeps."""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from penstock.cli.stacks.answers import Answers, Model

_REPLICAS = 2
_HEAD = """\
Written by `penstock stack init`. docs/settings.md says what each key means, docs/deploy.md what
comes next. A key that nobody reads stops the deployment.
"""


def stack_file(example: str, answers: Answers) -> str:
    """Return the text of a stack file: `example` with what was answered."""
    yaml = YAML()
    yaml.width = 100
    document = yaml.load(example)
    document.yaml_set_start_comment(_HEAD)
    settings = document["config"]["penstock:settings"]
    settings["region"] = answers.region
    settings["tags"]["Owner"] = answers.owner
    cluster = settings["cluster"]
    cluster["name"] = f"penstock-{answers.stack}"
    # In place: a list keeps its form and its comment.
    cluster["create"]["public_access_cidrs"][:] = answers.access_from
    cluster["create"]["admin_role_arns"][:] = answers.admin_roles
    _name_domain(settings["api"], answers)
    _tell_alarms(settings["observability"]["alarms"], answers)
    settings.pop("chains", None)
    settings["models"] = {model.name: _model(model) for model in answers.models}
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _name_domain(api: dict[str, Any], answers: Answers) -> None:
    if answers.domain is None:
        api.pop("domain", None)
    else:
        api.setdefault("domain", {}).update(answers.domain._asdict())


def _tell_alarms(alarms: dict[str, Any], answers: Answers) -> None:
    alarms.pop("emails", None)
    if answers.alarm_emails:
        alarms["emails"] = list(answers.alarm_emails)


def _model(model: Model) -> Mapping[str, Any]:
    deployment = {
        "truss": model.directory,
        "instance": model.instance,
        "autoscaling": {"max_replica": _REPLICAS},
    }
    return {"deployments": {"v1": deployment}}
