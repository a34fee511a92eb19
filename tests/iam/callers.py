"""What callers do, in each dialect, and what lies in their own buckets."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.directory import DynamoApiKeyStore
from penstock.contracts.directory.access_key import issue_access_key
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.request import Tenant
from penstock.contracts.request_id import read_request_id
from tests.iam.processes import Processes
from tests.unit.dialects.sagemaker.signing import signed_headers
from tests.unit.functions.events import authorizer_event, proxy_event

INPUTS, OUTPUTS = "callers-inputs", "callers-outputs"
PREDICT = "/models/ocr/production/async_predict"
BATCH = "/models/ocr/production/async_predict_batch"


@dataclass(frozen=True)
class Callers:
    """A tenant of the stack."""

    processes: Processes

    def submit(self, do: str, *, key: str = "", **more: Any) -> str:
        """Submit, as a Baseten caller, what the model server is to do; return the request id."""
        body = {"model_input": {"do": do}, **more}
        if "model_input_location" in more:
            del body["model_input"]
        headers = {"Idempotency-Key": key} if key else None
        status, answer = self.processes.call("intake", "POST", PREDICT, body, headers=headers)
        assert status == 201, answer
        return str(answer["request_id"])

    def invoke(self, do: str, endpoint: str = "ocr", input_location: str | None = None) -> str:
        """Invoke an endpoint, as a SageMaker caller with a key; return the request id."""
        place = {"X-Amzn-SageMaker-InputLocation": input_location} if input_location else {}
        headers = {"Authorization": f"Bearer {self.new_key()}", **place}
        body = None if input_location else {"do": do}
        return self._invoked(endpoint, body, headers)

    def invoke_signed(self) -> str:
        """Invoke an endpoint with a signature; return the request id."""
        secret_id = self._variable("PENSTOCK_SIGNING_MASTER_SECRET_ID")
        master = client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
        now = datetime.now(UTC)
        key, secret = issue_access_key(Tenant("acme"), now, master.encode())
        self._keys().put(key)
        path, body = "/endpoints/ocr/async-invocations", b'{"do": "echo"}'
        headers = signed_headers(
            f"https://api.example.com{path}",
            body,
            now=now,
            access_key_id=key.prefix,
            secret=secret,
        )
        event = proxy_event("POST", path, body, headers=headers) | {"headers": headers}
        answer = self.processes.invoke("intake", event)
        assert answer["statusCode"] == 202, answer
        return str(answer["multiValueHeaders"]["x-amzn-RequestId"][0])

    def call_container(self, do: str, *, later: bool = False) -> tuple[int, Any]:
        """Call a container under an id of the caller's, `do`; return status and answer."""
        headers = {"X-Inference-Id": do, **({"Prefer": "respond-async"} if later else {})}
        found: tuple[int, Any] = self.processes.call(
            "intake", "POST", "/containers/ocr", {"do": do}, headers=headers
        )
        return found

    def ask_container(self, inference_id: str) -> tuple[int, Any]:
        """Ask for a result by the id of a call; return status and answer."""
        headers = {"X-Inference-Id": inference_id}
        found: tuple[int, Any] = self.processes.call(
            "status", "GET", "/containers/result/ocr", headers=headers
        )
        return found

    def lose_result(self, request_id: str) -> None:
        """Let a result pass away, as it does by its age."""
        result = self.processes.row(request_id).result
        assert result is not None
        with self.processes.recorder.looking_on():
            client("s3").delete_object(Bucket=result.bucket, Key=result.key)

    def upload(self, content: bytes) -> str:
        """Put bytes where an upload may lie; return their URI."""
        status, place = self.processes.call("intake", "POST", "/uploads", "{}")
        assert status == 201, place
        uri: str = place["location"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return uri

    def offer(self, key: str, content: bytes) -> str:
        """Put an object into the callers' own bucket of inputs; return its URI."""
        client("s3").put_object(Bucket=INPUTS, Key=key, Body=content)
        return f"s3://{INPUTS}/{key}"

    def authorize(self) -> None:
        """Come to the API with a key."""
        event = authorizer_event(Authorization=f"Bearer {self.new_key()}")
        assert self.processes.invoke("authorizer", event)["context"]["tenant"] == "acme"

    def new_key(self) -> str:
        """Return a key of the tenant's."""
        key, text = ApiKey.issue(Tenant("acme"), datetime.now(UTC))
        self._keys().put(key)
        return text

    def _invoked(self, endpoint: str, body: dict[str, str] | None, headers: dict[str, str]) -> str:
        path = f"/endpoints/{endpoint}/async-invocations"
        status, answer = self.processes.call("intake", "POST", path, body, headers=headers)
        assert status == 202, answer
        return read_request_id(str(answer["InferenceId"]))

    def _keys(self) -> DynamoApiKeyStore:
        return DynamoApiKeyStore(self._variable("PENSTOCK_API_KEYS_TABLE"), client("dynamodb"))

    def _variable(self, name: str) -> str:
        return self.processes.account.variables_of("intake")[name]
