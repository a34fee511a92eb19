"""Whom a call addresses, as far as the call alone can tell."""

from penstock.contracts.contract import Contract
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import UnknownModelError
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.submission import Target


class Address(Contract):
    """What a call may mean: a host name with hyphens can be read in several ways."""

    readings: tuple[Target, ...]
    """In the order in which the catalog is asked; empty if no model is named."""

    hint: str = ""
    """What to tell a caller whose address leads nowhere."""

    def resolve(self, catalog: Catalog) -> Deployment:
        """Return the deployment of the first reading that the catalog knows.

        Raises:
            UnknownModelError: no reading leads to a deployment.
        """
        refusal: UnknownModelError | None = None
        for target in self.readings:
            if (model := catalog.find_model(target.model_id)) is None:
                continue
            try:
                return model.resolve(target)
            except UnknownModelError as error:
                refusal = refusal or error
        raise refusal or self._unknown()

    def may_mean(self, model_id: str) -> bool:
        """Whether a request of this model may be looked up here; no model named means any."""
        return not self.readings or any(target.model_id == model_id for target in self.readings)

    def _unknown(self) -> UnknownModelError:
        text = (
            f"model {self.readings[0].model_id} does not exist"
            if self.readings
            else "the address names no model"
        )
        return UnknownModelError(f"{text}; {self.hint}" if self.hint else text)
