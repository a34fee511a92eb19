"""The model's class of a Truss directory, as far as it can be read without running it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.artifacts.truss.config_file import Finding
from infra.artifacts.truss.treatment import Treatment, asks


def model_findings(directory: Path, config: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield why requests cannot reach the model, if they cannot."""
    kind = _transport(config)
    if asks(config.get("docker_server")):
        if kind != "http":
            yield _refused(
                f"config.yaml: runtime.transport.kind: a docker_server that speaks {kind}"
                " cannot be asked; requests come over HTTP: leave it out"
            )
        return
    if config.get("trt_llm") or config.get("bis_llm"):
        return  # refused by their keys
    folder = str(config.get("model_module_dir") or "model")
    name = f"{folder}/{config.get('model_class_filename') or 'model.py'}"
    if not (directory / name).is_file():
        yield _refused(
            f"{name}: there is no such file; put the model's class there, or say in config.yaml"
            " where it is (model_module_dir, model_class_filename)"
        )
        return
    class_name = str(config.get("model_class_name") or "Model")
    if _has_websocket_alone(directory / name, class_name):
        yield _refused(
            f"{name}: {class_name} has websocket and no predict; nothing here speaks WebSocket:"
            " give it predict"
        )


def _refused(text: str) -> Finding:
    return Finding(Treatment.REFUSED, text)


def _transport(config: Mapping[str, Any]) -> str:
    runtime = config.get("runtime")
    runtime = runtime if isinstance(runtime, dict) else {}
    transport = runtime.get("transport")
    if isinstance(transport, dict):
        return str(transport.get("kind") or "http")
    return "websocket" if runtime.get("is_websocket_endpoint") else "http"


def _has_websocket_alone(file: Path, class_name: str) -> bool:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # the server tells it better, with the line
        return False
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name and not node.bases:
            methods = {
                inner.name
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            return "websocket" in methods and "predict" not in methods
    return False
