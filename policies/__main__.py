"""Started by Pulumi with this folder in front of the import path; serves until it is ended."""

from guardrails.pack import POLICIES  # type: ignore[import-not-found]  # see above
from pulumi_policy import EnforcementLevel, PolicyPack

PolicyPack("penstock", POLICIES, EnforcementLevel.MANDATORY)
