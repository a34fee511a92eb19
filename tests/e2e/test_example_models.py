import asyncio
import base64
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from operator import mul
from pathlib import Path

import httpx
import pytest
import skimage

from infra.artifacts.model_image import model_context
from penstock.local.pods.images.model_environment import make_model_environment
from penstock.local.pods.images.truss_app import TrussContext
from penstock.local.processes import free_port, inherited_environment

pytestmark = pytest.mark.e2e

MODELS = Path(__file__).parents[2] / "examples" / "models"
SAMPLES = Path(skimage.__file__).parent / "data"
PREDICT = "/v1/models/model:predict"


@contextmanager
def served(model: str, folder: Path) -> Iterator[httpx.Client]:
    """Run an example on the real Truss server until the block ends."""
    context = TrussContext.at(model_context(MODELS / model))
    assert context is not None
    packages = context.packages(MODELS / model)
    environment = asyncio.run(make_model_environment(packages, folder / "environments"))
    context.lay_out(folder / "app")
    port = free_port()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(environment.python), "main.py"],
            cwd=folder / "app",
            env={**inherited_environment(), **context.environment(folder / "app", port, {})},
            stdout=log,
            stderr=log,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until_loaded(client, server, folder / "log")
            yield client
    finally:
        server.kill()
        server.wait()


def wait_until_loaded(client: httpx.Client, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not is_loaded(client):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def is_loaded(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/models/model").is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served("echo", tmp_path_factory.mktemp("echo")) as client:
        yield client


@pytest.fixture(scope="module")
def ocr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served("ocr", tmp_path_factory.mktemp("ocr")) as client:
        yield client


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served("embeddings", tmp_path_factory.mktemp("embeddings")) as client:
        yield client


def sample(name: str) -> str:
    return base64.b64encode((SAMPLES / name).read_bytes()).decode()


def test_echo_returns_its_input_and_the_request_it_saw(echo: httpx.Client) -> None:
    headers = {"x-baseten-request-id": "0123456789abcdef0123456789abcdef"}

    answer = echo.post(PREDICT, json={"text": "hello"}, headers=headers)

    assert answer.json() == {
        "echo": {"text": "hello"},
        "request_id": "0123456789abcdef0123456789abcdef",
    }


def test_echo_fails_when_asked_to(echo: httpx.Client) -> None:
    answer = echo.post(PREDICT, json={"fail": "no luck"})

    assert answer.status_code == 500
    assert answer.headers["x-baseten-error-code"] == "600"


def test_echo_works_on_four_requests_at_once(echo: httpx.Client) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(4) as callers:
        nap = {"sleep_seconds": 1}
        answers = list(callers.map(lambda _: echo.post(PREDICT, json=nap), range(4)))

    assert all(answer.is_success for answer in answers)
    assert time.monotonic() - started < 3  # one after the other: 4 s


def test_ocr_reads_a_photographed_page_from_top_to_bottom(ocr: httpx.Client) -> None:
    answer = ocr.post(PREDICT, json={"image": sample("page.png")}).json()

    lines = answer["text"].split("\n")
    assert lines[1] == "Let us first determine markers of the coins and the"
    assert lines[5].startswith("histogram of")
    assert (answer["width"], answer["height"]) == (384, 191)
    tops = [line["box"][0][1] for line in answer["lines"]]
    assert tops == sorted(tops)
    assert all(0.5 <= line["confidence"] <= 1 for line in answer["lines"])


def test_ocr_takes_a_data_url(ocr: httpx.Client) -> None:
    answer = ocr.post(PREDICT, json={"image": f"data:image/png;base64,{sample('text.png')}"})

    assert (answer.json()["width"], answer.json()["height"]) == (448, 172)


@pytest.mark.parametrize(
    ("model_input", "status", "error"),
    [
        ("a page", 400, 'the input is not {"image": "<base64>"}'),
        ({"picture": ""}, 400, 'the input is not {"image": "<base64>"}'),
        ({"image": "~~~"}, 400, "image is not base64: Only base64 data is allowed"),
        ({"image": ""}, 422, "image is not an image of a known format"),
        ({"image": "aGVsbG8="}, 422, "image is not an image of a known format"),
        (
            {"image": sample("page.png")[:4_000]},
            422,
            "image cannot be read: image file is truncated",
        ),
    ],
)
def test_ocr_says_what_is_wrong_with_its_input(
    ocr: httpx.Client, model_input: object, status: int, error: str
) -> None:
    answer = ocr.post(PREDICT, json=model_input)

    assert (answer.status_code, answer.json()) == (status, {"error": error})


SENTENCES = (
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "The stock market fell sharply today.",
)


def likeness(first: dict[str, list[float]], second: dict[str, list[float]]) -> float:
    """Return the cosine of the angle between two embeddings, whose length is 1."""
    return float(sum(map(mul, first["embedding"], second["embedding"])))


def test_embeddings_of_like_sentences_are_alike(embeddings: httpx.Client) -> None:
    food, bread, market = (
        embeddings.post(PREDICT, json={"text": text}).json() for text in SENTENCES
    )

    assert len(food["embedding"]) == 384
    assert likeness(food, food) == pytest.approx(1)
    # What sentence-transformers documents for this pair.
    assert likeness(food, bread) == pytest.approx(0.7553, abs=1e-3)
    assert likeness(food, market) < 0.1


def test_embeddings_are_the_same_in_a_batch_of_sentences_of_any_length(
    embeddings: httpx.Client,
) -> None:
    texts = [*SENTENCES, "", "no", "and so on " * 500]
    inputs = [{"text": text} for text in texts]

    together = embeddings.post(PREDICT, json=inputs).json()

    assert len(together) == len(inputs)
    for one, model_input in zip(together, inputs, strict=True):
        alone = embeddings.post(PREDICT, json=model_input).json()
        assert likeness(one, alone) == pytest.approx(1, abs=1e-5)


def test_embeddings_refuse_one_input_of_a_batch_and_not_the_others(
    embeddings: httpx.Client,
) -> None:
    refused = {"error": 'the input is not {"text": "<a sentence>"}', "status": 400}

    outputs = embeddings.post(PREDICT, json=["text", {"text": "hello"}, {"text": 1}]).json()
    alone = embeddings.post(PREDICT, json={"text": 1})
    none = embeddings.post(PREDICT, json=["text"])

    assert (outputs[0], outputs[2]) == (refused, refused)
    assert len(outputs[1]["embedding"]) == 384
    assert (alone.status_code, alone.json()) == (400, {"error": refused["error"]})
    assert none.json() == [refused]
