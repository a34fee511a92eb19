"""What an instance name costs and runs on."""

import gzip
import json
from importlib import resources
from typing import Any

import pytest

from infra.settings.instance import GPUS, Instance
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.host import Host

CATALOGUE = Catalogue.load()
EC2_NAMES = {"A100_40GB": "A100", "RTX_PRO_6000": "RTX PRO Server 6000"}


@pytest.fixture(scope="module")
def ec2() -> dict[str, Any]:
    """What EC2 says of its instance types, as an emulator of it carries it."""
    data = resources.files("moto") / "ec2/resources/instance_types.json.gz"
    types: dict[str, Any] = json.loads(gzip.decompress(data.read_bytes()))
    return types


@pytest.mark.parametrize("host", CATALOGUE.hosts, ids=lambda host: host.type)
def test_a_machine_is_as_ec2_says(host: Host, ec2: dict[str, Any]) -> None:
    said = ec2[host.type]
    network = said["NetworkInfo"]
    (gpus,) = said.get("GpuInfo", {}).get("Gpus", [{}])

    assert said["ProcessorInfo"]["SupportedArchitectures"] == [host.architecture]
    assert said["VCpuInfo"]["DefaultVCpus"] == host.vcpu
    assert said["MemoryInfo"]["SizeInMiB"] == host.memory_gib * 1_024
    assert said.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0) == host.nvme_gb
    assert gpus.get("Count", 0) == host.gpu_count
    assert gpus.get("Name") == (EC2_NAMES.get(host.gpu, host.gpu) if host.gpu else None)
    addresses = network["Ipv4AddressesPerInterface"] - 1
    assert network["MaximumNetworkInterfaces"] * addresses + 2 == host.max_pods
    if host.gpu_memory_gib:  # advertised: the driver shows a little less
        shown = gpus["MemoryInfo"]["SizeInMiB"] / 1_024
        assert shown == pytest.approx(host.gpu_memory_gib, rel=0.08)


def test_no_machine_is_listed_twice() -> None:
    types = [host.type for host in CATALOGUE.hosts]

    assert len(set(types)) == len(types)


@pytest.mark.parametrize(
    ("name", "machine", "pods"),
    [
        ("T4", "g4dn.xlarge", 1),
        ("T4:8x32", "g4dn.2xlarge", 1),
        ("T4:16x64", "g4dn.4xlarge", 1),
        ("L4:4x16", "g6.xlarge", 1),
        ("L4:2:24x96", "g6.12xlarge", 2),
        ("L4:4:48x192", "g6.12xlarge", 1),
        ("L4:8:192x768", "g6.48xlarge", 1),
        ("A10G", "g5.xlarge", 1),
        ("A10G:8x32", "g5.2xlarge", 1),
        ("A10G:16x64", "g5.4xlarge", 1),
        ("A10G:2:24x96", "g5.12xlarge", 2),
        ("A10G:4:48x192", "g5.12xlarge", 1),
        ("A10G:8:192x768", "g5.48xlarge", 1),
        ("L40S:4x32", "g6e.xlarge", 1),
        ("L40S:8x64", "g6e.2xlarge", 1),
        ("A100", "p4de.24xlarge", 8),
        ("A100:4", "p4de.24xlarge", 2),
        ("A100_40GB", "p4d.24xlarge", 8),
        ("H100", "p5.4xlarge", 1),
        ("H100:2", "p5.48xlarge", 4),
        ("H100:8", "p5.48xlarge", 1),
        ("H200", "p5en.48xlarge", 8),
        ("B200", "p6-b200.48xlarge", 8),
        ("B300", "p6-b300.48xlarge", 8),
        ("RTX_PRO_6000", "g7e.2xlarge", 1),
        ("CPU:1x2", "c6i.large", 1),
        ("CPU:2x4", "c6i.large", 1),
        ("CPU:2x8", "m6i.large", 1),
        ("CPU:4x16", "m6i.xlarge", 1),
        ("CPU:4x32", "r6i.xlarge", 1),
        ("CPU:16x32", "c6i.4xlarge", 1),
        ("CPU:64x512", "r6i.16xlarge", 1),
    ],
)
def test_a_name_means_the_cheapest_machine_it_fits_on(name: str, machine: str, pods: int) -> None:
    instance = Instance.parse(name)
    host = CATALOGUE.cheapest_for(instance)

    assert (host.type, host.pods_of(instance)) == (machine, pods)


@pytest.mark.parametrize("host", CATALOGUE.hosts, ids=lambda host: host.type)
def test_a_whole_machine_can_be_asked_for(host: Host) -> None:
    assert host.pods_of(Instance.parse(host.name)) == 1


@pytest.mark.parametrize("gpu", GPUS)
def test_every_gpu_that_a_name_can_ask_for_is_there(gpu: str) -> None:
    assert CATALOGUE.cheapest_for(Instance.parse(gpu)).gpu == gpu


@pytest.mark.parametrize(
    ("name", "there_is"),
    [("L4:200x768", "L4:4x16"), ("CPU:128x512", "CPU:64x512"), ("H100:8:200x2048", "H100:16x256")],
)
def test_a_name_that_fits_nowhere_says_what_there_is(name: str, there_is: str) -> None:
    with pytest.raises(ValueError, match=f"no machine is large enough; there are .*{there_is}"):
        CATALOGUE.cheapest_for(Instance.parse(name))


def test_spot_widens_the_choice_to_what_is_little_dearer() -> None:
    assert CATALOGUE.spot_types(CATALOGUE.host("g6.xlarge")) == ("g6.xlarge", "g6.2xlarge")
    assert CATALOGUE.spot_types(CATALOGUE.host("c6i.xlarge")) == ("c6i.xlarge", "m6i.xlarge")
    assert CATALOGUE.spot_types(CATALOGUE.host("p5.48xlarge")) == ("p5.48xlarge",)


def test_a_machine_without_a_price_is_alone() -> None:
    assert CATALOGUE.spot_types(CATALOGUE.host("p6-b300.48xlarge")) == ("p6-b300.48xlarge",)
