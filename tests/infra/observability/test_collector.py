"""The collector: what it reads, what it may do, and what it leaves out."""

import re
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.observability.collector.collector import OTLP_ENDPOINT
from infra.program import declare as declare_stack
from infra.settings.observability_settings import ObservabilitySettings
from infra.settings.stack_settings import StackSettings
from tests.infra.observability.measured import in_dashboards, is_measured, shown_by_workers
from tests.infra.recording import Declared, record

NEW: dict[str, Any] = {
    "public_access_cidrs": ["198.51.100.0/24"],
    "admin_role_arns": ["arn:aws:iam::123456789012:role/deployer"],
    "image_mirror": "registry.example/mirror",
}
RELEASE = "platform-collector-release"


def _created(
    settings: StackSettings, artifacts: Artifacts, egress: str = "nat-single", **wishes: Any
) -> Declared:
    values = settings.model_dump(mode="json", exclude_none=True)
    cluster = {"name": "penstock-dev", "create": NEW}
    changes = {"network": {"egress": egress}, "cluster": cluster, "observability": wishes}
    created = StackSettings.checked(values | changes)
    return record(lambda: declare_stack(created, artifacts), stack="dev")


@pytest.fixture(scope="module")
def whole(settings: StackSettings, artifacts: Artifacts) -> Declared:
    return _created(settings, artifacts)


@pytest.fixture(scope="module")
def private(settings: StackSettings, artifacts: Artifacts) -> Declared:
    return _created(settings, artifacts, "private")


def _config(declared: Declared) -> dict[str, Any]:
    config: dict[str, Any] = declared.named(RELEASE, ":Release").inputs["values"]["alternateConfig"]
    return config


def _declarations(declared: Declared) -> dict[str, set[str]]:
    """Return what is brought to CloudWatch, with its dimensions."""
    found = {}
    for declaration in _config(declared)["exporters"]["awsemf"]["metric_declarations"]:
        (selector,), (dimensions,) = declaration["metric_name_selectors"], declaration["dimensions"]
        found[selector.strip("^$")] = set(dimensions)
    return found


def test_what_is_brought_is_what_workers_show_with_its_labels(whole: Declared) -> None:
    shown = shown_by_workers()

    for name, dimensions in _declarations(whole).items():
        assert dimensions <= shown[name], name


def test_everything_that_is_drawn_of_workers_is_brought(whole: Declared) -> None:
    brought = _declarations(whole)
    drawn = [named for named in in_dashboards(whole) if "deployment_id" in named.dimensions]

    assert {named.name for named in drawn} == set(brought)
    for named in drawn:
        assert brought[named.name] == set(named.dimensions), named
        assert is_measured(named)


def test_as_much_is_brought_of_a_deployment_as_settings_say(whole: Declared) -> None:
    drawn = {
        (named.name, *sorted(named.dimensions.items()))
        for named in in_dashboards(whole)
        if named.dimensions.get("deployment_id") == "ocr-v2"
    }
    told = ObservabilitySettings.model_fields["collector"].description or ""

    assert f"of {len(drawn)} metrics" in " ".join(told.split())


def test_it_writes_where_the_dashboard_looks(whole: Declared) -> None:
    exporter = _config(whole)["exporters"]["awsemf"]

    assert exporter["namespace"] == "Penstock/dev"
    group = whole.named("platform-collector-records", "logGroup:LogGroup")
    assert exporter["log_group_name"] == group.outputs["name"]
    assert group.inputs["retentionInDays"] == 30
    assert exporter["dimension_rollup_option"] == "NoDimensionRollup"


def test_nothing_else_passes_its_filter(whole: Declared) -> None:
    (condition,) = _config(whole)["processors"]["filter"]["metrics"]["metric"]
    pattern = re.fullmatch(r'not IsMatch\(name, "(.+)"\)', condition)

    assert pattern is not None
    passing = {name for name in [*shown_by_workers(), "up"] if re.match(pattern[1], name)}
    assert passing == set(_declarations(whole))


def test_every_part_of_a_pipeline_is_configured_and_used(whole: Declared) -> None:
    config = _config(whole)

    for kind in ("receivers", "processors", "exporters"):
        used = {part for line in config["service"]["pipelines"].values() for part in line[kind]}
        assert used == set(config[kind])
    assert set(config["service"]["extensions"]) == set(config["extensions"])


def test_it_finds_workers_by_the_annotation_and_port_that_they_have(whole: Declared) -> None:
    (workers, _) = _config(whole)["receivers"]["prometheus"]["config"]["scrape_configs"]
    pod = whole.named("ocr-v2-workers", "apps/v1:Deployment").inputs["spec"]["template"]
    dispatcher = pod["spec"]["containers"][0]
    (port,) = dispatcher["ports"]

    assert pod["metadata"]["annotations"]["prometheus.io/scrape"] == "true"
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    wanted = {rule["source_labels"][0]: rule["regex"] for rule in workers["relabel_configs"]}
    assert wanted["__meta_kubernetes_pod_annotation_prometheus_io_scrape"] == "true"
    assert wanted["__meta_kubernetes_pod_container_port_name"] == port["name"]
    assert workers["kubernetes_sd_configs"][0]["namespaces"]["names"] == ["penstock"]


def test_a_gpu_is_said_to_be_its_deployments(whole: Declared) -> None:
    (_, gpus) = _config(whole)["receivers"]["prometheus"]["config"]["scrape_configs"]
    (rule,) = [r for r in gpus["metric_relabel_configs"] if r.get("target_label")]

    found = re.fullmatch(rule["regex"], "ocr-v2-7d9c5b6f4-x2x9z")
    assert found is not None
    assert found[1] == "ocr-v2"
    assert rule["replacement"] == "$$1"


def test_one_pod_reads_each_worker_once_a_minute(whole: Declared) -> None:
    values = whole.named(RELEASE, ":Release").inputs["values"]
    scraped = _config(whole)["receivers"]["prometheus"]["config"]["scrape_configs"]

    assert (values["mode"], values["replicaCount"]) == ("deployment", 1)
    assert {job["scrape_interval"] for job in scraped} == {"60s"}


def test_it_is_pinned_and_comes_from_the_mirror(whole: Declared) -> None:
    release = whole.named(RELEASE, ":Release").inputs

    assert re.fullmatch(r"\d+\.\d+\.\d+", release["version"])
    image = release["values"]["image"]
    assert image["repository"] == "registry.example/mirror/aws-observability/aws-otel-collector"
    assert re.fullmatch(r"v\d+\.\d+\.\d+", image["tag"])


def test_its_role_writes_its_own_log_and_traces_and_nothing_else(whole: Declared) -> None:
    group = whole.named("platform-collector-records", "logGroup:LogGroup").outputs["arn"]
    granted = whole.named("platform-collector-pod-permissions", ":RolePolicy").policy()

    assert [(s["Action"], s["Resource"]) for s in granted] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], f"{group}:*"),
        (["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    ]


def _dispatcher_variables(declared: Declared) -> dict[str, str]:
    pod = declared.named("ocr-v2-workers", "apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    return {each["name"]: each["value"] for each in pod["containers"][0]["env"]}


def test_workers_are_told_where_traces_go(whole: Declared) -> None:
    told = _dispatcher_variables(whole)

    assert told["OTEL_EXPORTER_OTLP_ENDPOINT"] == OTLP_ENDPOINT
    assert told["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio"
    assert told["OTEL_TRACES_SAMPLER_ARG"] == "0.05"
    assert OTLP_ENDPOINT == "http://telemetry.telemetry.svc.cluster.local:4318"
    values = whole.named(RELEASE, ":Release").inputs["values"]
    namespace = whole.named("platform-collector-namespace", ":Namespace").inputs["metadata"]["name"]
    assert (values["fullnameOverride"], namespace) == ("telemetry", "telemetry")


def test_without_a_way_out_there_are_metrics_and_no_traces(private: Declared) -> None:
    assert set(_config(private)["service"]["pipelines"]) == {"metrics"}
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in _dispatcher_variables(private)
    granted = private.named("platform-collector-pod-permissions", ":RolePolicy").policy()
    assert not any("xray" in action for s in granted for action in s["Action"])


def test_it_may_be_left_out(settings: StackSettings, artifacts: Artifacts) -> None:
    declared = _created(settings, artifacts, collector=False)

    assert not [r for r in declared if "collector" in r.name]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in _dispatcher_variables(declared)
    assert not [n for n in in_dashboards(declared) if "deployment_id" in n.dimensions]


def test_a_cluster_that_is_there_gets_none(settings: StackSettings, artifacts: Artifacts) -> None:
    values = settings.model_dump(mode="json", exclude_none=True)
    values.pop("network", None)
    there = {"name": "shared", "kubeconfig_context": "shared"}
    wished = StackSettings.checked(values | {"cluster": there})

    declared = record(lambda: declare_stack(wished, artifacts), stack="dev")

    assert not [r for r in declared if "collector" in r.name]
    assert not [n for n in in_dashboards(declared) if "deployment_id" in n.dimensions]
