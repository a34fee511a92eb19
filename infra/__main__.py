"""Run by `pulumi up`: one stack from its settings file."""

import pulumi

from infra.artifacts.artifacts import cloud_artifacts
from infra.program import declare
from infra.settings.stack_settings import StackSettings

for name, value in declare(StackSettings.load(), cloud_artifacts()).items():
    pulumi.export(name, value)
