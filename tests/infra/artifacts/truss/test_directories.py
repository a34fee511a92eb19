"""Truss directories are refused by deployment, directory and key, or their notes are told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts, cloud_artifacts
from infra.artifacts.truss.directories import Checked, check_for_images, look_at
from infra.artifacts.truss.treatment import Place
from infra.program import declare
from penstock.contracts.errors import SettingsError
from tests.infra.artifacts.truss.directories import MODEL, stack_of, truss_directory
from tests.infra.recording import record

SERVER = {
    "start_command": "python main.py",
    "server_port": 8000,
    "predict_endpoint": "/predict",
    "readiness_endpoint": "/",
    "liveness_endpoint": "/",
}
WEBSOCKET_ONLY = "class Model:\n    async def websocket(self, socket):\n        ...\n"

Look = Callable[..., Checked]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Looks at a Truss directory with a config.yaml."""

    def at(
        place: Place,
        config: dict[str, Any],
        *,
        model: str | None = MODEL,
        instance: str = "CPU:1x2",
        variables: dict[str, str] | None = None,
    ) -> Checked:
        folder = truss_directory(tmp_path / "truss", config, model)
        deployment = {"truss": str(folder), "environment_variables": variables or {}}
        return look_at(stack_of({"echo": deployment}, instance), place)

    return at


def test_a_plain_directory_is_served_as_it_is_everywhere(look: Look, tmp_path: Path) -> None:
    config = {
        "model_name": "echo",
        "python_version": "py311",
        "requirements": ["six"],
        "resources": {"cpu": "1", "memory": "2Gi", "use_gpu": False, "accelerator": None},
        "runtime": {"predict_concurrency": 4, "num_workers": 1, "transport": {"kind": "http"}},
        "base_image": None,
        "docker_server": None,
        "model_cache": [],
        "weights": [],
    }
    assert look("image", config) == Checked([], {"echo-v1": ()})
    stack = stack_of({"echo": {"truss": str(tmp_path / "truss")}})
    assert look_at(stack, "laptop") == Checked([], {"echo-v1": ()})


def test_use_gpu_without_an_accelerator_is_refused_with_what_to_write(
    look: Look, tmp_path: Path
) -> None:
    (refusal,) = look("image", {"resources": {"use_gpu": True}}).refusals

    assert refusal.startswith(
        f"deployment echo-v1: {tmp_path}/truss/config.yaml: resources.use_gpu"
    )
    assert "accelerator: L4" in refusal


@pytest.mark.parametrize(
    "resources",
    [
        {"use_gpu": True, "accelerator": "L4"},
        {"use_gpu": True, "accelerator": "L4:2"},
        {"use_gpu": False, "accelerator": ""},
        {"use_gpu": None},
    ],
)
def test_use_gpu_that_says_what_the_accelerator_says_is_taken(
    look: Look, resources: dict[str, Any]
) -> None:
    assert look("image", {"resources": resources}).refusals == []


def test_use_gpu_false_beside_an_accelerator_is_refused(look: Look) -> None:
    config = {"resources": {"use_gpu": False, "accelerator": "L4"}}
    assert "remove one of them" in look("image", config).refusals[0]


@pytest.mark.parametrize(
    ("config", "key", "instead"),
    [
        ({"resources": {"acelerator": "L4"}}, "resources.acelerator", "accelerator?"),
        ({"resources": {"disk": "L4"}}, "resources.disk", "known are accelerator, cpu"),
        ({"runtime": {"predict_concurency": 4}}, "runtime.predict_concurency", "concurrency?"),
        ({"runtime": {"transport": {"sort": "x"}}}, "runtime.transport.sort", "kind"),
        ({"docker_server": {**SERVER, "port": 1}}, "docker_server.port", "server_port,"),
    ],
)
def test_a_misspelt_key_that_would_have_no_effect_is_refused(
    look: Look, config: dict[str, Any], key: str, instead: str
) -> None:
    (refusal,) = look("image", config).refusals
    assert f"config.yaml: {key}: Truss knows no such key" in refusal
    assert instead in refusal


def test_an_unknown_key_of_the_top_which_truss_keeps_for_the_model_is_noted(look: Look) -> None:
    found = look("image", {"requirement": ["six"], "my_own": 1})
    assert found.refusals == []
    assert found.notes["echo-v1"] == (
        "config.yaml: my_own: Truss knows no such key; it reaches only the model's config",
        "config.yaml: requirement: Truss knows no such key; it reaches only the model's config;"
        " did you mean requirements?",
    )


def test_a_docker_server_is_refused_where_there_is_no_docker_and_served_from_its_image(
    look: Look, tmp_path: Path
) -> None:
    config = {"docker_server": SERVER, "base_image": {"image": "x/y:1"}}
    assert look("image", config, model=None) == Checked([], {"echo-v1": ()})
    (refusal,) = look_at(stack_of({"echo": {"truss": str(tmp_path / "truss")}}), "laptop").refusals
    assert "config.yaml: docker_server: its start_command runs only in its own image" in refusal


@pytest.mark.parametrize(
    ("server", "runtime", "key"),
    [
        ({"no_build": True}, {}, "docker_server.no_build"),
        ({"run_as_user_id": 1000}, {}, "docker_server.run_as_user_id"),
        ({"server_port": 8080}, {}, "docker_server.server_port"),
        ({"server_port": 9090}, {}, "docker_server.server_port"),
        ({}, {"transport": {"kind": "grpc"}}, "runtime.transport.kind"),
        ({}, {"is_websocket_endpoint": True}, "runtime.transport.kind"),
    ],
)
def test_a_docker_server_that_requests_cannot_reach_is_refused(
    look: Look, server: dict[str, Any], runtime: dict[str, Any], key: str
) -> None:
    config = {"docker_server": {**SERVER, **server}, "runtime": runtime}
    (refusal,) = look("image", config).refusals
    assert f"config.yaml: {key}: " in refusal


@pytest.mark.parametrize("place", ["image", "laptop"])
@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"trt_llm": {"build": {"base_model": "decoder"}}}, "trt_llm"),
        ({"bis_llm": {"config": {"a": 1}}}, "bis_llm"),
        ({"build": {"model_server": "TRT_LLM"}}, "build.model_server"),
        ({"use_local_src": True}, "use_local_src"),
        ({"resources": {"node_count": 2}}, "resources.node_count"),
    ],
)
def test_what_nothing_here_serves_is_refused(
    look: Look, place: Place, config: dict[str, Any], key: str
) -> None:
    (refusal,) = look(place, config).refusals
    assert f"config.yaml: {key}: " in refusal


@pytest.mark.parametrize("place", ["image", "laptop"])
def test_a_model_that_speaks_only_websocket_is_refused(look: Look, place: Place) -> None:
    config = {"runtime": {"transport": {"kind": "websocket"}}}
    (refusal,) = look(place, config, model=WEBSOCKET_ONLY).refusals
    assert "model/model.py: Model has websocket and no predict" in refusal


def test_a_model_with_predict_is_asked_over_http_whatever_its_transport(look: Look) -> None:
    found = look("image", {"runtime": {"transport": {"kind": "grpc"}}})
    assert found.refusals == []
    assert "requests come over HTTP" in found.notes["echo-v1"][0]


def test_a_class_that_inherits_or_cannot_be_parsed_is_left_to_the_server(look: Look) -> None:
    assert look("image", {}, model="class Model(Other):\n    websocket = 1\n").refusals == []


def test_a_directory_without_a_model_is_refused_by_the_file_that_is_missing(look: Look) -> None:
    (refusal,) = look("laptop", {"model_class_filename": "main.py"}, model=None).refusals
    assert "/model/main.py: there is no such file" in refusal


def test_a_model_that_wants_more_than_its_instance_is_told_which_counts(look: Look) -> None:
    resources = {"cpu": "1500m", "memory": "3Gi", "accelerator": "L4", "instance_type": "L4:4x16"}
    notes = look("image", {"resources": resources}).notes["echo-v1"]
    assert [note.split(": ")[1] for note in notes] == [
        "resources.accelerator", "resources.cpu", "resources.instance_type", "resources.memory",
    ]  # fmt: skip
    assert all("instance CPU:1x2 counts" in note for note in notes)


def test_a_model_that_wants_no_more_than_its_instance_has_no_notes(look: Look) -> None:
    resources = {"cpu": "4", "memory": "16Gi", "accelerator": "L4:2", "use_gpu": True}
    assert look("image", {"resources": resources}, instance="L4:2").notes["echo-v1"] == ()


def test_a_secret_without_a_value_is_noted_with_the_variable_that_would_give_it(
    look: Look, tmp_path: Path
) -> None:
    (note,) = look("image", {"secrets": {"token": None, "other": "x"}}).notes["echo-v1"]
    assert "no value is given for token" in note
    assert "TRUSS_SECRET_token" in note
    given = {"truss": str(tmp_path / "truss"), "environment_variables": {"TRUSS_SECRET_token": "x"}}
    assert look_at(stack_of({"echo": given}), "image").notes["echo-v1"] == ()


def test_what_a_laptop_cannot_follow_is_noted_there_and_only_there(
    look: Look, tmp_path: Path
) -> None:
    config = {
        "base_image": {"image": "x/y:1"},
        "build_commands": ["make"],
        "external_data": [{"url": "https://x.test/a", "local_data_path": "a"}],
        "model_cache": [{"repo_id": "x/y", "use_volume": False}],
        "system_packages": ["ffmpeg", "git"],
        "live_reload": True,
    }
    assert look("image", config).notes["echo-v1"] == ()
    notes = look_at(stack_of({"echo": {"truss": str(tmp_path / "truss")}}), "laptop").notes[
        "echo-v1"
    ]
    assert {note.split(": ")[1] for note in notes} == config.keys()
    assert any("ffmpeg, git" in note for note in notes)


@pytest.mark.parametrize("place", ["image", "laptop"])
@pytest.mark.parametrize(
    "config",
    [
        {"weights": [{"source": "hf://x/y@1", "mount_location": "/w"}]},
        {"training_checkpoints": {"download_folder": "/tmp/x"}},  # noqa: S108 - inside the image
        {"bdn": {"mounts": [{"source": "bdn:x/y", "path": "/w"}]}},
    ],
)
def test_files_that_only_basetens_platform_mounts_are_noted(
    look: Look, place: Place, config: dict[str, Any]
) -> None:
    (note,) = look(place, config).notes["echo-v1"]
    assert "nothing mounts it" in note


def test_all_that_cannot_be_served_is_told_at_once(tmp_path: Path) -> None:
    bad = truss_directory(tmp_path / "bad", {"trt_llm": {"build": {}}}, None)
    listed = tmp_path / "listed"
    listed.mkdir()
    (listed / "config.yaml").write_text("- a\n")
    directories = {"bad": bad, "gone": tmp_path / "gone", "other": listed}
    stack = stack_of({name: {"truss": str(path)} for name, path in directories.items()})
    with pytest.raises(SettingsError) as refused:
        check_for_images(stack)
    bad_said, gone_said, other_said = str(refused.value).splitlines()
    assert bad_said.startswith(f"deployment bad-v1: {bad}/config.yaml: trt_llm: ")
    assert gone_said.startswith(f"deployment gone-v1: {tmp_path}/gone: ")
    assert other_said.startswith(f"deployment other-v1: {listed}/config.yaml: not a mapping")


def test_a_preview_ends_before_anything_is_built_of_what_cannot_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = stack_of({"gone": {"truss": str(tmp_path / "gone")}})
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("built"))

    with pytest.raises(SettingsError, match=r"deployment gone-v1: .*/gone: there is no such Truss"):
        record(lambda: declare(stack, cloud_artifacts()))


def test_a_preview_warns_of_what_has_no_effect(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truss = truss_directory(tmp_path / "truss", {"secrets": {"token": None}})
    warned: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", warned.append)
    checked = replace(artifacts, check_models=check_for_images)

    record(lambda: declare(stack_of({"echo": {"truss": str(truss)}}), checked))

    (warning,) = warned
    assert warning.startswith(
        "deployment echo-v1: config.yaml: secrets: no value is given for token"
    )
