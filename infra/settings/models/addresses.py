"""Whom callers address must be clear: host names and endpoint names join words with hyphens."""

from collections.abc import Mapping

from infra.settings.model_settings import DEPLOYMENT_ID_LENGTH, ModelSettings

RESERVED_NAMES = frozenset({"status", "result"})
"""`/containers/status/…` and `/containers/result/…` ask about requests."""


def check_addresses(models: Mapping[str, ModelSettings], chains: Mapping[str, str]) -> None:
    """Pass if no address can mean two things.

    Raises:
        ValueError: one can; the text names the key.
    """
    seen: dict[str, str] = {}
    for model_id, model in models.items():
        if model_id in RESERVED_NAMES:
            raise ValueError(
                f"models.{model_id}: /containers/{model_id} is not a model; choose another name"
            )
        for environment in model.pointers:
            _check_free("models", models, model_id, "environment", environment)
        for name in model.deployments:
            _check_free("models", models, model_id, "deployment", name)
            _check_deployment_id(model_id, name, seen)
    for chain_id, model_id in chains.items():
        if model_id not in models:
            raise ValueError(f"chains.{chain_id}: there is no model {model_id}")
        for environment in models[model_id].pointers:
            _check_free("chains", chains, chain_id, "environment", environment)


def _check_free(key: str, names: Mapping[str, object], owner: str, kind: str, part: str) -> None:
    if (taken := f"{owner}-{part}") in names:
        raise ValueError(
            f"{key}.{taken}: its address would be that of {kind} {part} of {owner};"
            " choose another name"
        )


def _check_deployment_id(model_id: str, name: str, seen: dict[str, str]) -> None:
    deployment_id, where = f"{model_id}-{name}", f"models.{model_id}.deployments.{name}"
    if len(deployment_id) > DEPLOYMENT_ID_LENGTH:
        raise ValueError(
            f"{where}: {deployment_id!r} is longer than {DEPLOYMENT_ID_LENGTH} characters"
        )
    if deployment_id in seen:
        raise ValueError(f"{where}: {seen[deployment_id]} has the same id {deployment_id!r}")
    seen[deployment_id] = where
