"""Certificates for what speaks to the API server, and to what it speaks."""

from pathlib import Path

import trustme


class Authority:
    """Issues certificates that live as long as the facts are checked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.certificate = folder / "authority.crt"
        self._authority.cert_pem.write_to_path(str(self.certificate))

    def issue(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """Return certificate and key of a client `name`, or of a server with these hosts."""
        issued = self._authority.issue_cert(*(hosts or (f"{name}.invalid",)), common_name=name)
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        for at, blob in enumerate(issued.cert_chain_pems):
            blob.write_to_path(str(certificate), append=at > 0)
        issued.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        return certificate, key
