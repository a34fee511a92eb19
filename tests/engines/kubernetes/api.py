"""A client of the API server: plain HTTP, so that what goes over the wire is what a test says."""

import json
import ssl
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from tests.engines.processes import eventually

Manifest = Mapping[str, Any]
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"


class ApiError(Exception):
    """What the API server refused."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.body: dict[str, Any] = response.json()
        super().__init__(f"{self.status} {self.body.get('message')}")


class Api:
    """Speaks to one API server as one user."""

    def __init__(self, url: str, certificate: Path, token: str) -> None:
        self.url = url
        # The server's own certificate names no host that is asked for here.
        context = ssl.create_default_context(cafile=str(certificate))
        self._http = httpx.Client(
            base_url=url, verify=context, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        self.warnings: list[str] = []
        """What the server warned of, newest last."""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @cached_property
    def _core(self) -> dict[tuple[str, str], tuple[str, bool]]:
        return {}

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Manifest | None = None,
        kind: str = "",
    ) -> dict[str, Any]:
        """Make one call; raise `ApiError` for a refusal."""
        headers = {"Content-Type": kind or "application/json"}
        response = self._http.request(
            method,
            path,
            json=body,
            params=dict(query or {}),
            headers=headers if body is not None else {},
        )
        self.warnings += response.headers.get_list("warning")
        if response.is_error:
            raise ApiError(response)
        found: dict[str, Any] = response.json()
        return found

    def path(self, api_version: str, kind: str, namespace: str = "", name: str = "") -> str:
        """Return the path of an object, or of a list if it has no name."""
        root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        plural, is_namespaced = self._resource(api_version, kind, root)
        folder = f"/namespaces/{namespace}" if is_namespaced and namespace else ""
        return f"{root}{folder}/{plural}" + (f"/{name}" if name else "")

    def _resource(self, api_version: str, kind: str, root: str) -> tuple[str, bool]:
        def known() -> tuple[str, bool] | None:
            if (api_version, kind) not in self._core:
                try:
                    found = self.call("GET", root)["resources"]
                except ApiError:
                    return None  # a definition that was just made
                for each in found:
                    if "/" not in each["name"]:
                        one = (each["name"], each["namespaced"])
                        self._core[api_version, each["kind"]] = one
            return self._core.get((api_version, kind))

        return eventually(known, 30, f"the API server to know {api_version} {kind}")

    def path_of(self, manifest: Manifest) -> str:
        """Return the path of an object."""
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace", "")
        return self.path(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])

    def apply(
        self, manifest: Manifest, *, manager: str = "pulumi", force: bool = False
    ) -> dict[str, Any]:
        """Apply an object on the server's side, refusing fields that it does not know."""
        return self.call(
            "PATCH",
            self.path_of(manifest),
            body=manifest,
            kind=_APPLY,
            query={
                "fieldManager": manager,
                "fieldValidation": "Strict",
                "force": str(force).lower(),
            },
        )

    def get(self, manifest: Manifest) -> dict[str, Any]:
        """Return an object as it is now."""
        return self.call("GET", self.path_of(manifest))

    def merge(self, manifest: Manifest, change: Manifest, *, part: str = "") -> dict[str, Any]:
        """Change fields of an object, or of its `/status`, `/scale`."""
        return self.call("PATCH", self.path_of(manifest) + part, body=change, kind=_MERGE)

    def delete(self, manifest: Manifest, **options: str) -> None:
        """Delete an object, if it is there."""
        options = {"propagationPolicy": "Background", **options}
        try:
            self.call("DELETE", self.path_of(manifest), options)
        except ApiError as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise

    def changes_since(self, manifest: Manifest) -> Sequence[Manifest]:
        """Return each state that an object had after the one that is given, for two seconds."""
        path, _, name = self.path_of(manifest).rpartition("/")
        query = {
            "watch": "true",
            "timeoutSeconds": "2",
            "fieldSelector": f"metadata.name={name}",
            "resourceVersion": manifest["metadata"]["resourceVersion"],
        }
        lines = self._http.get(path, params=query).text.splitlines()
        return [json.loads(line)["object"] for line in lines]

    def list(
        self, api_version: str, kind: str, namespace: str = "", labels: str = ""
    ) -> list[dict[str, Any]]:
        """Return objects of a kind."""
        query = {"labelSelector": labels} if labels else {}
        items = self.call("GET", self.path(api_version, kind, namespace), query)["items"]
        return [{"apiVersion": api_version, "kind": kind, **item} for item in items]
