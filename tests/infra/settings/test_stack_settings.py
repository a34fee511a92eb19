"""What a stack file may say, and what is said back when it is wrong."""

import copy
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.artifacts.workspace import ROOT
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError


def _block(**changes: Any) -> dict[str, Any]:
    block = {
        "environment": "dev",
        "region": "eu-west-1",
        "cluster": {"name": "c", "kubeconfig_context": "c"},
        "models": {"ocr": {"deployments": {"v1": {"truss": "t", "instance": "CPU:1x2"}}}},
    }
    return {**block, **changes}


def _set(block: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(block)
    *parents, last = path.split(".")
    place = changed
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return changed


def _complaint(values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        StackSettings.checked(values)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("enviroment", "environment"),
        ("cluster.namspace", "namespace"),
        ("api.rate_per_secnd", "rate_per_second"),
        ("models.ocr.deployment", "deployments"),
        ("models.ocr.deployments.v1.lease_secnds", "lease_seconds"),
        ("models.ocr.deployments.v1.autoscaling.max_replicas", "max_replica"),
    ],
)
def test_a_misspelt_key_is_named_with_its_path_and_what_was_meant(key: str, meant: str) -> None:
    complaint = _complaint(_set(_block(), key, 1))

    assert f"settings.{key}: there is no such key; did you mean {meant}?" in complaint.splitlines()


@pytest.mark.parametrize("partition", botocore.session.get_session().get_available_partitions())
def test_regions_are_those_of_the_partition_in_which_everything_is_named(partition: str) -> None:
    regions = botocore.session.get_session().get_available_regions("sqs", partition)
    assert regions
    for region in regions:
        if partition == "aws":
            assert StackSettings.checked(_block(region=region)).region == region
        else:
            assert f"{region} is no region of the partition aws" in _complaint(
                _block(region=region)
            )


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"aws:x": "1"}, "'aws:x': keys that begin with aws: are AWS's own"),
        ({"AWS:x": "1"}, "AWS's own"),
        ({f"k{n}": "" for n in range(60)}, "60 tags are more than the 35"),
        ({"": "1"}, "a key has 1 to 128 characters"),
        ({"k" * 129: "1"}, "a key has 1 to 128 characters"),
        ({"k": "v" * 257}, "a value has at most 256 characters"),
        ({"a;b": "1"}, "its key has ';'"),
        ({"k": "a,b"}, "its value has ','"),
        ({"k": "a\tb"}, "its value has"),
        ({"Owner": "a", "owner": "b"}, "for one: write them alike"),
        ({"project": "a"}, "for one: write them alike"),
    ],
)
def test_tags_that_aws_refuses_are_refused(tags: dict[str, str], reason: str) -> None:
    complaint = _complaint(_block(tags=tags))
    assert complaint.startswith("settings.tags: ")
    assert reason in complaint


def test_tags_that_aws_takes_are_taken() -> None:
    tags = {"Équipe 7": "größe_.:/=+-@", "Project": "ours", "k" * 128: "v" * 256, "aws": ""}
    assert StackSettings.checked(_block(tags=tags)).resource_tags == {
        "Environment": "dev",
        **tags,
    }


def test_a_key_like_no_other_is_answered_with_those_that_exist() -> None:
    complaint = _complaint(_set(_block(), "retention.zzz", 1))

    expected = "there is no such key; known are result_days, payload_days, log_days"
    assert complaint == f"settings.retention.zzz: {expected}"


def test_a_misspelt_key_in_a_list_is_named_with_its_position() -> None:
    schedules = [{"timezone": "UTC", "start": "0 8 * * *", "end": "0 9 * * *", "replicas": 1}]
    path = "models.ocr.deployments.v1.autoscaling.schedules"

    complaint = _complaint(_set(_block(), path, schedules))

    assert f"settings.{path}.0.replicas: there is no such key" in complaint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("environment", "prod"),
        ("region", "Europe"),
        ("cluster.namespace", "Workers"),
        ("api.rate_per_second", 0),
        ("api.burst", 5_001),
        ("api.max_payload_bytes", 4_456_449),
        ("webhooks.max_attempts", 0),
        ("retention.payload_days", 3),
        ("retention.log_days", 8),
        ("models.ocr.deployments", {}),
        ("models.ocr.deployments.v1.lease_seconds", 2),
        ("models.ocr.deployments.v1.lease_seconds", 601),
        ("models.ocr.deployments.v1.predict_timeout_seconds", 41_401),
        ("models.ocr.deployments.v1.drain_seconds", 0),
        ("models.ocr.deployments.v1.low_priority_share", 0.6),
        ("models.ocr.deployments.v1.instance", "L5"),
    ],
)
def test_a_value_out_of_range_is_named_with_its_path(key: str, value: Any) -> None:
    assert f"settings.{key}: " in _complaint(_set(_block(), key, value))


def test_what_is_missing_is_named() -> None:
    block = _block()
    del block["region"], block["cluster"]["name"]

    assert _complaint(block).splitlines() == [
        "settings.region: missing",
        "settings.cluster.name: missing",
    ]


@pytest.mark.parametrize("name", ["Ocr", "-ocr", "ocr-", "o_cr", "o" * 41, ""])
@pytest.mark.parametrize("path", ["models", "models.ocr.deployments"])
def test_a_name_that_no_host_could_have_is_refused(path: str, name: str) -> None:
    model = _block()["models"]["ocr"]
    value = model if path == "models" else model["deployments"]["v1"]

    complaint = _complaint(_set(_block(), f"{path}.{name}", value))

    assert complaint.startswith(f"settings.{path}.{name}: {name!r} is not a name")


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_local_webhooks_stay_on_the_laptop(environment: str) -> None:
    block = _set(_block(environment=environment), "webhooks.allow_local", value=True)

    assert f"webhooks.allow_local is not for {environment}" in _complaint(block)


@pytest.mark.parametrize(
    ("environment", "kept"),
    [("local", False), ("dev", False), ("staging", True), ("production", True)],
)
def test_data_is_kept_where_it_matters(environment: str, *, kept: bool) -> None:
    assert StackSettings.checked(_block(environment=environment)).is_protected is kept


@pytest.mark.parametrize("text", ["", "config: {}", "config: [", "- 1"])
def test_a_file_without_settings_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=r"Pulumi\.x\.yaml: cannot read"):
        StackSettings.read(path)


def test_the_laptop_scales_to_two_and_back_within_seconds() -> None:
    settings = StackSettings.read(ROOT / "Pulumi.local.yaml")

    scaling = {m: model.deployments["v1"].autoscaling for m, model in settings.models.items()}
    assert {m: s.concurrency_target for m, s in scaling.items()} == {
        "echo": 4,
        "ocr": 1,
        "echo-container": 4,
        "web": 4,
    }
    assert {(s.min_replica, s.max_replica, s.scale_down_delay) for s in scaling.values()} == {
        (0, 2, 15)
    }
    assert settings.webhooks.allow_local
    assert {m.deployments["v1"].lease_seconds for m in settings.models.values()} == {10}
