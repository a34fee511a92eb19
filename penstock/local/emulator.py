"""MiniStack, the emulated AWS, as a child process."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from infra.artifacts.workspace import uv
from penstock.contracts.errors import PenstockError
from penstock.local.emulated_aws import CREDENTIALS, EmulatedAws
from penstock.local.processes import Child, Command, free_port, inherited_environment
from penstock.local.state import StateFolder

MINISTACK = "ministack==1.5.33"
LAMBDA_RUNTIME = "boto3==1.43.106"
"""What AWS puts into its Python runtime; the version that MiniStack's botocore belongs to."""

_PROBE_SECONDS = 0.05
_START_SECONDS = 60.0


class EmulatorError(PenstockError):
    """MiniStack could not be started."""


@dataclass(frozen=True)
class Interpreter:
    """The Python that MiniStack runs in, and with it every Lambda function."""

    executable: str
    version: str

    @classmethod
    async def find(cls) -> "Interpreter":
        """Return the interpreter of MiniStack's own uv environment, installing it if need be."""
        code = (
            "import json, sys; print(json.dumps([sys.executable, '%d.%d' % sys.version_info[:2]]))"
        )
        python = ("--from", MINISTACK, "--with", LAMBDA_RUNTIME, "python", "-c", code)
        # Online, uv asks the index even for what it has: half a second, and a failure without one.
        for network in ("--offline",), ():
            process = await asyncio.create_subprocess_exec(
                *uv("tool", "run", *network, *python),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, errors = await process.communicate()
            if process.returncode == 0:
                executable, version = json.loads(output)
                return cls(executable, version)
        raise EmulatorError(f"uv could not install {MINISTACK}: {errors.decode().strip()}")


class Emulator:
    """A running MiniStack on a loopback port."""

    def __init__(self, child: Child, port: int, region: str) -> None:
        self.child = child
        self.region = region
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self._aws = EmulatedAws(self.endpoint_url, region)

    @classmethod
    async def start(cls, interpreter: Interpreter, region: str, state: StateFolder) -> "Emulator":
        """Start MiniStack and wait until it answers.

        Raises:
            EmulatorError: it ended, or did not answer in time; the text names its log.
        """
        port = free_port()
        child = await Child.start(_command(interpreter, port, region, state), state.path)
        emulator = cls(child, port, region)
        try:
            await asyncio.wait_for(emulator._answers(), _START_SECONDS)
        except BaseException as error:
            child.kill()
            await child.ended()
            if isinstance(error, TimeoutError):
                raise EmulatorError(f"MiniStack does not answer; see {child.log}") from error
            raise
        return emulator

    async def _answers(self) -> None:
        async with aiohttp.ClientSession(trust_env=False) as http:
            while True:
                try:
                    async with http.get(f"{self.endpoint_url}/_ministack/health"):
                        return
                except aiohttp.ClientError:
                    if not self.child.is_running:
                        raise EmulatorError(f"MiniStack ended; see {self.child.log}") from None
                    await asyncio.sleep(_PROBE_SECONDS)

    def environment(self) -> dict[str, str]:
        """Return what points a process's AWS SDK here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **CREDENTIALS,
        }

    def aws(self) -> EmulatedAws:
        """Return clients for everything in here."""
        return self._aws


def _command(interpreter: Interpreter, port: int, region: str, state: StateFolder) -> Command:
    scratch = str(state.scratch)
    return Command(
        name="ministack",
        argv=[interpreter.executable, "-m", "ministack"],
        environment={
            **inherited_environment(),
            "HOME": scratch,
            "TMPDIR": scratch,
            "BIND_HOST": "127.0.0.1",
            # Queue URLs carry it; not every machine resolves `localhost` to IPv4 first.
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": region,
        },
        folder=state.scratch,
        log=Path(state.logs / "ministack.log"),
    )
