"""The program as `pulumi up` runs it: its entry point, real artifacts, a stack file's settings."""

import json
import runpy
import zipfile
from pathlib import Path

import pulumi
import pytest
import yaml

from infra.artifacts.workspace import ROOT
from tests.infra.recording import record

pytestmark = pytest.mark.bundle


def test_the_example_stack_is_declared_with_what_was_really_built() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml.example").read_text())["config"]

    def program() -> None:
        pulumi.runtime.set_config("penstock:settings", json.dumps(config["penstock:settings"]))
        runpy.run_path(str(ROOT / "infra"), run_name="__main__")

    declared = record(program, stack="dev")

    (archive,) = {f.inputs["code"].path for f in declared.of_type("lambda/function:Function")}
    assert zipfile.is_zipfile(archive)
    dockerfiles = {i.inputs["dockerfile"]["location"] for i in declared.of_type(":Image")}
    assert len(dockerfiles) == 3  # the dispatcher's, and one of each model
    assert all(Path(dockerfile).is_file() for dockerfile in dockerfiles)
