"""The endpoint at which SDKs in the model container find credentials, as ECS has it."""

import hmac
import secrets
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from penstock.contracts.ports.model_role import RoleCredentials
from runtime_image.dispatcher.model_credentials.keeping import KeptCredentials, NoCredentialsError

CREDENTIALS_PATH = "/v1/credentials"
_TOKEN_BYTES = 32


def write_token(file: Path) -> str:
    """Write a fresh token where the model container finds it; return it."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    new.write_text(token)
    new.chmod(0o444)  # the model server runs as another user, and mounts this read-only
    new.replace(file)
    return token


def credentials_app(kept: KeptCredentials, token: str, role_arn: str) -> web.Application:
    """Return what answers SDKs that know the token."""

    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
            reason = "Authorization must be the token in AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
            return _refusal(HTTPStatus.UNAUTHORIZED, "InvalidToken", reason)
        try:
            credentials = await kept.current()
        except NoCredentialsError as error:
            return _refusal(HTTPStatus.BAD_GATEWAY, "RoleNotAssumed", str(error))
        return web.json_response(_document(credentials, role_arn))

    app = web.Application()
    app.router.add_get(CREDENTIALS_PATH, answer)
    return app


def health_app() -> web.Application:
    """Return what tells Kubernetes that the token is there and the endpoint answers."""

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_get("/healthz", alive)
    return app


def _document(credentials: RoleCredentials, role_arn: str) -> dict[str, str]:
    return {
        "RoleArn": role_arn,
        "AccountId": role_arn.split(":")[4],
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": f"{credentials.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _refusal(status: HTTPStatus, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)
