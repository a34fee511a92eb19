"""Exit codes, help, and what is said when nothing is configured."""

from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from penstock.cli.failures import AwsRefusedError, ExitCode, exit_code
from penstock.cli.main import app
from penstock.contracts.errors import PenstockError, SettingsError, UnavailableError
from tests.unit.cli.conftest import CommandLineOf


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (httpx.Response(400), 2),
        (httpx.Response(401), 3),
        (httpx.Response(403), 3),
        (httpx.Response(404), 4),
        (httpx.Response(413), 2),
        (httpx.Response(418), 1),
        (httpx.Response(429), 6),
        (httpx.Response(500), 6),
        (httpx.Response(503), 6),
        (httpx.ConnectError("refused"), 6),
    ],
)
def test_each_kind_of_trouble_has_its_exit_code(
    penstock: CommandLineOf, trouble: httpx.Response | Exception, code: int
) -> None:
    done = penstock(trouble)("queue", "ocr")

    assert done.exit_code == code
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AwsRefusedError("no"), ExitCode.NOT_AUTHORIZED),
        (UnavailableError("put", "throttled"), ExitCode.UNAVAILABLE),
        (SettingsError("which?"), ExitCode.WRONG_USAGE),
        (PenstockError("well"), ExitCode.ENDED_WITHOUT_SUCCESS),
    ],
)
def test_errors_of_operators_commands_have_theirs(error: PenstockError, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_every_exit_code_is_in_the_help(penstock: CommandLineOf) -> None:
    shown = " ".join(penstock()("--help").stdout.split())

    for code in ExitCode:
        assert f"{code.value} " in shown.partition("Exit codes: ")[2]


@pytest.mark.parametrize(
    "command",
    [
        *("submit", "status", "wait", "result", "cancel", "queue", "list"),
        *("batch submit", "batch status", "batch results"),
        *("keys create", "keys list", "keys revoke"),
        *("local up", "local down", "local status", "local logs"),
    ],
)
def test_the_help_of_a_command_has_an_example_of_it(penstock: CommandLineOf, command: str) -> None:
    done = penstock()(*command.split(), "--help")

    assert done.exit_code == 0
    assert f"Example: penstock {command}" in done.stdout


def test_the_version_is_told(penstock: CommandLineOf) -> None:
    assert penstock()("--version").stdout.startswith("penstock 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "r1"], "PENSTOCK_API_URL"),
        (["keys", "list"], "penstock local up"),
        (["keys", "list", "--stack", "production"], "Pulumi CLI"),
    ],
)
def test_what_is_not_configured_is_said_in_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("PENSTOCK_API_URL", "PENSTOCK_API_KEY"):
        monkeypatch.delenv(variable, raising=False)

    done = CliRunner().invoke(app, arguments)

    assert done.exit_code == ExitCode.WRONG_USAGE
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
