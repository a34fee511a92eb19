"""What an instance's name means to Kubernetes."""

import pytest

from infra.settings.instance import Instance


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("CPU:4x16", Instance(4, 16)),
        ("L4", Instance(4, 16, "L4", 1)),
        ("L4:4x16", Instance(4, 16, "L4", 1)),
        ("L4:16x64", Instance(16, 64, "L4", 1)),
        ("A10G:2", Instance(8, 32, "A10G", 2)),
        ("A100_40GB:2:24x288", Instance(24, 288, "A100_40GB", 2)),
    ],
)
def test_a_name_says_cpu_memory_and_gpus(name: str, meaning: Instance) -> None:
    assert Instance.parse(name) == meaning


@pytest.mark.parametrize(
    "name",
    ["CPU", "CPU:2", "CPU:2:4x16", "CPU:0x4", "l4", "L4:", "L4:9", "L4:4x", "L5", "", "4x16"],
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"instance|GPU|vCPU"):
        Instance.parse(name)


@pytest.mark.parametrize(
    ("name", "cpu", "memory"),
    [
        ("CPU:1x2", "750m", "1024Mi"),
        ("CPU:4x16", "3500m", "12902Mi"),
        ("L4", "3500m", "12902Mi"),
        ("H100:16x256", "15500m", "221798Mi"),
        ("L4:4:48x192", "47040m", "166093Mi"),
    ],
)
def test_a_pod_leaves_the_node_its_share(name: str, cpu: str, memory: str) -> None:
    instance = Instance.parse(name)

    assert (instance.cpu_request, instance.memory_request) == (cpu, memory)
