"""Which of a stack's models a request is for must be clear from its id alone."""

from collections.abc import Iterable

from penstock.contracts.request_id import model_fingerprint


def check_fingerprints(model_ids: Iterable[str]) -> None:
    """Pass if no two models have one fingerprint.

    Raises:
        ValueError: two have; the text names both.
    """
    seen: dict[str, str] = {}
    for model_id in model_ids:
        fingerprint = model_fingerprint(model_id)
        if fingerprint in seen:
            raise ValueError(
                f"models.{model_id}: its fingerprint {fingerprint} is that of"
                f" models.{seen[fingerprint]} too, so their roles could not be told apart;"
                " choose another name for one of them"
            )
        seen[fingerprint] = model_id
