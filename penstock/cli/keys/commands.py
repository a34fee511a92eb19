"""Commands for operators: the API keys of a stack."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.connections import connections
from penstock.cli.failures import ExitCode
from penstock.cli.output import AsJson, print_json, print_many
from penstock.contracts.ports.clock import utc_now

if TYPE_CHECKING:
    from penstock.cli.keys.ports import AccessKeyPorts
    from penstock.contracts.directory.api_key import ApiKey

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys (for operators).")

StackName = Annotated[
    str | None,
    typer.Option(
        "--stack", metavar="NAME", help="A deployed Pulumi stack (default: the local one)."
    ),
]

_LIFETIME = re.compile(r"([1-9]\d{0,4})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def lifetime(text: str) -> timedelta:
    """Read `90d`, `12h` or `30m`."""
    match = _LIFETIME.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no time: say 90d, 12h or 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@app.command(epilog="Example: penstock keys create --tenant acme --name ci --expires-in 90d")
def create(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    *,
    tenant: Annotated[str, typer.Option(help="Who will own the requests made with it.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires_in: Annotated[
        timedelta | None,
        typer.Option(parser=lifetime, metavar="TIME", help="90d, 12h or 30m; default: never."),
    ] = None,
    sigv4: Annotated[
        bool,
        typer.Option("--sigv4", help="Make an access key, which signs calls as AWS clients do."),
    ] = False,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it: it can never be shown again."""
    from penstock.contracts.directory.access_key import issue_access_key
    from penstock.contracts.directory.api_key import ApiKey
    from penstock.contracts.request import Tenant

    now = utc_now()
    expires_at = now + expires_in if expires_in else None
    if sigv4:
        with connections(context).access_keys(stack) as ports:
            master = ports.master_secret()
            key, secret = issue_access_key(
                Tenant(tenant), now, master, name=name, expires_at=expires_at
            )
            ports.keys.put(key)
        _print_access_key(key, secret, ports, as_json=as_json)
        return
    key, secret = ApiKey.issue(Tenant(tenant), now, name=name, expires_at=expires_at)
    with connections(context).key_store(stack) as keys:
        keys.put(key)
    if as_json:
        print_json({"key": secret, **_stored(key)})
    else:
        typer.echo("Keep this key: it is not shown again.", err=True)
        typer.echo(secret)


def _print_access_key(
    key: "ApiKey", secret: str, ports: "AccessKeyPorts", *, as_json: bool
) -> None:
    if as_json:
        pair = {"access_key_id": key.prefix, "secret_access_key": secret}
        where = {"endpoint_url": ports.api_url, "region": ports.region}
        print_json({**pair, **where, **_stored(key)})
        return
    typer.echo("Keep the secret: it is not shown again. With boto3:", err=True)
    typer.echo(
        f'  boto3.client("sagemaker-runtime", endpoint_url="{ports.api_url}",'
        f' region_name="{ports.region}")',
        err=True,
    )
    typer.echo(f"export AWS_ACCESS_KEY_ID={key.prefix}")
    typer.echo(f"export AWS_SECRET_ACCESS_KEY={secret}")


def _stored(key: "ApiKey") -> dict[str, Any]:
    return key.model_dump(mode="json", exclude={"secret_sha256", "revoked_at"})


@app.command("list", epilog="Example: penstock keys list --stack prod --json")
def list_(context: typer.Context, *, stack: StackName = None, as_json: AsJson = False) -> None:
    """List the keys; their secrets are not stored and not shown."""
    with connections(context).key_store(stack) as keys:
        found = keys.all()
    columns = ("prefix", "tenant", "name", "created_at", "expires_at", "revoked_at")
    print_many(found, columns, as_json=as_json, never=frozenset({"secret_sha256"}))


@app.command(epilog="Example: penstock keys revoke Xk3f9aB2")
def revoke(
    context: typer.Context,
    prefix: Annotated[
        str, typer.Argument(help="The key's part before the dot, or an access key id.")
    ],
    *,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key; calls with it are refused within a minute."""
    with connections(context).key_store(stack) as keys:
        was_there = keys.revoke(prefix, utc_now())
    if not was_there:
        typer.secho(f"error: there is no key {prefix}", fg=typer.colors.RED, err=True)
        raise typer.Exit(ExitCode.NOT_FOUND)
    if as_json:
        print_json({"prefix": prefix, "revoked": True})
    else:
        typer.echo(f"revoked {prefix}", err=True)
