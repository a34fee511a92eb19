"""Commands about the secrets that webhooks are signed with."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.connections import connections
from penstock.cli.keys.commands import StackName, lifetime
from penstock.cli.output import AsJson, print_json
from penstock.contracts.ports.clock import utc_now

if TYPE_CHECKING:
    from penstock.contracts.http.signing_secrets import SigningSecret

app = typer.Typer(no_args_is_help=True, help="Show and rotate what webhooks are signed with.")

_SHOWN_CHARACTERS = 4


def _keep_old(text: str) -> timedelta:
    return timedelta(0) if text == "0" else lifetime(text)


@app.command(epilog="Example: penstock webhooks secrets rotate --keep-old 24h")
def rotate(
    context: typer.Context,
    *,
    keep_old: Annotated[
        timedelta,
        typer.Option(
            parser=_keep_old,
            metavar="TIME",
            help="How long webhooks are also signed with the old secret: 7d, 24h, 30m, or 0 if it"
            " leaked.",
        ),
    ] = "24h",  # type: ignore[assignment]  # typer parses a default as it does an argument
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Sign with a new secret from now on, print it once, and let the old one end later."""
    from penstock.contracts.http.signing_secrets import new_signing_secret

    with connections(context).webhooks(stack) as ports:
        now = utc_now()
        before = ports.secrets.read()
        rotated = before.rotated(new_signing_secret(), now, keep_old)
        ends = [each for each in before.active(now) if each not in rotated.active(now)]
        if not yes:
            warning = f" {len(ends)} active secret(s) end at once." if ends else ""
            typer.confirm(f"Sign webhooks with a new secret?{warning}", abort=True, err=True)
        ports.secrets.write(rotated)
    new = rotated.secrets[0].secret
    if as_json:
        others = [_shown(each) for each in rotated.secrets[1:]]
        print_json({"secret": new, "others": others})
        return
    typer.echo("Give this secret to your receivers; it is used within a minute.", err=True)
    for each in rotated.secrets[1:]:
        typer.echo(
            f"The old one signs beside it until {each.expires_at:%Y-%m-%d %H:%MZ}.", err=True
        )
    typer.echo(new)


@app.command(epilog="Example: penstock webhooks secrets show --reveal")
def show(
    context: typer.Context,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show them in full.")] = False,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Show the active secrets, the newest first, by their last characters."""
    now = utc_now()
    with connections(context).webhooks(stack) as ports:
        active = [each for each in ports.secrets.read().secrets if each.is_active(now)]
    shown = [_shown(each, in_full=reveal) for each in active]
    if as_json:
        print_json(shown)
        return
    if not shown:
        typer.echo("none: no webhook is sent until there is one; see 'secrets rotate'", err=True)
    for each in shown:
        typer.echo(f"{each['secret']}  {each['expires_at'] or 'does not expire'}")


def _shown(secret: "SigningSecret", *, in_full: bool = False) -> dict[str, Any]:
    text = secret.secret if in_full else f"…{secret.secret[-_SHOWN_CHARACTERS:]}"
    expires_at = secret.expires_at.isoformat(timespec="seconds") if secret.expires_at else None
    return {"secret": text, "expires_at": expires_at}
