"""The pack as Pulumi starts it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from policies.guardrails.pack import POLICIES

FOLDER = Path(__file__).parents[2] / "policies"
QUEUE = "aws:sqs/queue:Queue"


@contextmanager
def running_pack() -> Iterator[Any]:
    """Start the pack as the language host does: the port comes on stdout, then gRPC."""
    # From elsewhere: a published pack has nothing of this repository around it.
    command = [sys.executable, "-P", "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(FOLDER)]
    with Popen(command, stdout=PIPE, cwd=FOLDER.anchor) as process:
        try:
            assert process.stdout
            address = f"127.0.0.1:{int(process.stdout.readline())}"
            with grpc.insecure_channel(address) as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.kill()


@pytest.mark.integration
def test_the_pack_starts_as_a_process_and_answers() -> None:
    urn = f"urn:pulumi:dev::penstock::{QUEUE}::work"
    request = proto.AnalyzeRequest(type=QUEUE, name="work", urn=urn)
    request.properties.update({"messageRetentionSeconds": 60})
    with running_pack() as pack:
        info = pack.GetAnalyzerInfo(empty_pb2.Empty())
        answer = pack.Analyze(request)

    assert [policy.name for policy in info.policies] == [policy.name for policy in POLICIES]
    schemas = {policy.name: policy.configSchema.properties for policy in info.policies}
    assert schemas["sqs-dlq"]["maxReceiveCount"]["default"] == 20
    found = {diagnostic.policyName for diagnostic in answer.diagnostics}
    assert found == {"sqs-encrypted", "sqs-long-poll", "required-tags"}
