"""Whose call it is where no authorizer looked: a signature covers the body, a key does not."""

from dataclasses import dataclass

from functions.authorizer.service import AuthorizerService
from penstock.contracts.directory.access_key import secret_access_key
from penstock.contracts.errors import UnauthorizedError
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.directory import ApiKeyStore
from penstock.contracts.ports.master_secret import MasterSecret
from penstock.contracts.request import Tenant
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.signature.authorization import SignedAuthorization
from penstock.dialects.sagemaker.signature.claims import check_claims
from penstock.dialects.sagemaker.signature.refusals import (
    MissingAuthenticationTokenError,
    UnrecognizedClientError,
)
from penstock.dialects.sagemaker.signature.verification import check_signature


@dataclass(frozen=True, kw_only=True)
class Identification:
    """Reads signatures, and the keys that other routes take."""

    keys: ApiKeyStore
    master_secret: MasterSecret
    clock: Clock

    def tenant_of(self, call: HttpCall) -> Tenant:
        """Return whose call it is.

        Raises:
            UnauthorizedError: the call does not prove it; the text never contains a secret.
            UnavailableError: keys or master secret could not be looked up.
        """
        authorization = call.headers.get("authorization")
        if authorization is None:
            raise MissingAuthenticationTokenError
        if SignedAuthorization.is_in(authorization):
            return self._signer(call, SignedAuthorization.parse(authorization))
        return (
            AuthorizerService(keys=self.keys, clock=self.clock).authenticate(authorization).tenant
        )

    def _signer(self, call: HttpCall, claimed: SignedAuthorization) -> Tenant:
        now = self.clock()
        check_claims(call, claimed, now)
        key = self.keys.find(claimed.access_key_id)
        if key is None:
            raise UnrecognizedClientError
        secret = secret_access_key(key.prefix, self.master_secret())
        try:
            key.check(secret, now)
        except UnauthorizedError as error:
            raise UnrecognizedClientError from error
        check_signature(call, claimed, secret)
        return key.tenant
