"""Turns sentences into vectors with all-MiniLM-L6-v2, one or many in a call."""

import ctypes
import importlib.util
import os
from pathlib import Path
from typing import Any

import fastapi

from .encoder import Encoder

THREADS = int(os.environ.get("OMP_NUM_THREADS", min(4, os.cpu_count() or 1)))
REFUSAL = 'the input is not {"text": "<a sentence>"}'

Output = dict[str, Any]


class Model:
    """The Truss interface: loaded once, then one batch at a time."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever the Truss server offers
        self._on_gpu: bool = kwargs["config"]["resources"]["use_gpu"]
        self._encoder: Encoder

    def load(self) -> None:
        """Load the network onto the device."""
        if self._on_gpu:
            _load_cublas()
        self._encoder = Encoder("cuda" if self._on_gpu else "cpu", THREADS)

    def predict(self, model_input: Any) -> Output | list[Output]:  # noqa: ANN401 - any JSON
        """Return `{"embedding": […]}` for `{"text": "…"}`; for a list of inputs, a list of them."""
        if isinstance(model_input, list):
            return self._outputs(model_input)
        (output,) = self._outputs([model_input])
        if "error" in output:
            raise fastapi.HTTPException(output["status"], output["error"])
        return output

    def _outputs(self, inputs: list[Any]) -> list[Output]:
        texts = [_text_in(model_input) for model_input in inputs]
        sound = [text for text in texts if text is not None]
        vectors = iter(self._encoder.vectors(sound).tolist() if sound else [])
        refused = {"error": REFUSAL, "status": 400}
        return [refused if text is None else {"embedding": next(vectors)} for text in texts]


def _text_in(model_input: Any) -> str | None:  # noqa: ANN401 - any JSON
    text = model_input.get("text") if isinstance(model_input, dict) else None
    return text if isinstance(text, str) else None


def _load_cublas() -> None:
    # It comes from PyPI, where CTranslate2 does not look for it.
    package = importlib.util.find_spec("nvidia.cublas")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("resources.accelerator is set, but not requirements_file: see README.md")
    libraries = Path(package.submodule_search_locations[0]) / "lib"
    for name in ("libcublasLt.so.12", "libcublas.so.12"):
        ctypes.CDLL(str(libraries / name), mode=ctypes.RTLD_GLOBAL)
