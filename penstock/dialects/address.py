"""Whom a call addresses, as far as the call alone can tell."""

from collections.abc import Iterator

from penstock.contracts.contract import Contract
from penstock.contracts.directory.catalog import CHAIN_PREFIX, Deployment, Model
from penstock.contracts.errors import UnknownModelError
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.submission import Target

_LONGEST_NAME = 255
"""No model or chain has a longer name, and no table takes just any key."""


class Address(Contract):
    """What a call may mean: a host name with hyphens can be read in several ways."""

    readings: tuple[Target, ...]
    """In the order in which the catalog is asked; empty if no model is named."""

    hint: str = ""
    """What to tell a caller whose address leads nowhere."""

    @property
    def said(self) -> str:
        """What was addressed, whatever it stands for now; equal for all ways to write it."""
        return self.model_dump_json(include={"readings"})

    def resolve(self, catalog: Catalog) -> Deployment:
        """Return the deployment of the first reading that the catalog knows.

        Raises:
            UnknownModelError: no reading leads to a deployment.
        """
        refusal: UnknownModelError | None = None
        for target in self.readings:
            if (model := _find(target.model_id, catalog)) is None:
                continue
            try:
                return model.resolve(target)
            except UnknownModelError as error:
                refusal = refusal or error
        raise refusal or self._unknown()

    def known_models(self, catalog: Catalog) -> Iterator[str]:
        """Yield each model of a reading that the catalog knows, whatever deployments it has."""
        for model_id in dict.fromkeys(target.model_id for target in self.readings):
            if _find(model_id, catalog) is not None:
                yield model_id

    def may_mean(self, model_id: str, chain_id: str | None = None) -> bool:
        """Whether a request of this model or chain may be looked up here; no name means any."""
        names = {model_id, f"{CHAIN_PREFIX}{chain_id}"} if chain_id else {model_id}
        return not self.readings or any(target.model_id in names for target in self.readings)

    def _unknown(self) -> UnknownModelError:
        text = "the address names no model"
        if self.readings:
            name = self.readings[0].model_id
            is_chain = name.startswith(CHAIN_PREFIX)
            shown = f"chain {name.removeprefix(CHAIN_PREFIX)}" if is_chain else f"model {name}"
            text = f"{shown[:_LONGEST_NAME]} does not exist"
        return UnknownModelError(f"{text}; {self.hint}" if self.hint else text)


def _find(model_id: str, catalog: Catalog) -> Model | None:
    return catalog.find_model(model_id) if len(model_id) <= _LONGEST_NAME else None
