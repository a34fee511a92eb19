"""Reads the text in an image with PP-OCRv4 on ONNX Runtime."""

import base64
import binascii
import io
import os
from typing import Any

import cv2
import fastapi
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from rapidocr_onnxruntime import RapidOCR

MAX_PIXELS = 50_000_000
THREADS = int(os.environ.get("OMP_NUM_THREADS", min(4, os.cpu_count() or 1)))

Line = dict[str, Any]


class Model:
    """The Truss interface: loaded once, then one image at a time."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever the Truss server offers
        self._on_gpu: bool = kwargs["config"]["resources"]["use_gpu"]
        self._engine: RapidOCR

    def load(self) -> None:
        """Load the three networks (detection, direction, recognition) onto the device."""
        cv2.setNumThreads(THREADS)
        if self._on_gpu:
            onnxruntime.preload_dlls()  # CUDA and cuDNN come from PyPI, not from the system
        self._engine = RapidOCR(
            det_use_cuda=self._on_gpu,
            cls_use_cuda=self._on_gpu,
            rec_use_cuda=self._on_gpu,
            # The default of 0.5 loses curved lines near the edge of a photographed page.
            det_box_thresh=0.3,
            intra_op_num_threads=THREADS,
        )
        if self._on_gpu:
            _require_cuda(self._engine.text_det.infer.session)

    def predict(self, model_input: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return the text of `{"image": "<base64>"}`, whole and by line."""
        image = _decoded(_image_bytes(model_input))
        found, _ = self._engine(np.asarray(image)[:, :, ::-1])
        rows = _rows([_line(*each) for each in found or []])
        return {
            "text": "\n".join(" ".join(line["text"] for line in row) for row in rows),
            "lines": [line for row in rows for line in row],
            "width": image.width,
            "height": image.height,
        }


def _require_cuda(session: onnxruntime.InferenceSession) -> None:
    # ONNX Runtime falls back to the CPU by itself, and the GPU would be paid for and idle.
    if "CUDAExecutionProvider" not in session.get_providers():
        raise RuntimeError(
            "resources.accelerator is set, but ONNX Runtime cannot use CUDA: see README.md"
        )


def _image_bytes(model_input: Any) -> bytes:  # noqa: ANN401 - any JSON
    encoded = model_input.get("image") if isinstance(model_input, dict) else None
    if not isinstance(encoded, str):
        raise fastapi.HTTPException(400, 'the input is not {"image": "<base64>"}')
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise fastapi.HTTPException(400, f"image is not base64: {error}") from error


def _decoded(content: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise fastapi.HTTPException(
                    422, f"image has more than {MAX_PIXELS} pixels: {image.width} x {image.height}"
                )
            return ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError as error:
        raise fastapi.HTTPException(422, "image is not an image of a known format") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise fastapi.HTTPException(422, f"image cannot be read: {error}") from error


def _line(box: NDArray[np.float64], text: str, confidence: float) -> Line:
    corners = [[round(float(x), 1), round(float(y), 1)] for x, y in box]
    return {"text": text, "confidence": round(float(confidence), 4), "box": corners}


def _rows(lines: list[Line]) -> list[list[Line]]:
    """Sort into reading order: a line belongs to a row while its middle lies within it."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        if rows and _middle(line) < max(y for _, y in rows[-1][0]["box"]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line["box"][0][0]) for row in rows]


def _middle(line: Line) -> float:
    return sum(y for _, y in line["box"]) / 4
