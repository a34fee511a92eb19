"""What `make engines` runs is what the stack installs."""

import re

from infra.components.operators.chart import KARPENTER, KEDA
from tests.engines.building import HERE, versions


def _required(module: str) -> set[tuple[str, str]]:
    text = (HERE / "modules" / module / "go.mod").read_text()
    return set(re.findall(r"^(?:require )?\s*(\S+) v(\S+)$", text, re.MULTILINE))


def test_each_go_module_requires_the_version_that_is_pinned() -> None:
    pinned = versions()
    wanted = {
        "etcd": ("go.etcd.io/etcd/server/v3", pinned["programs"]["etcd"]),
        "kwok": ("sigs.k8s.io/kwok", pinned["programs"]["kwok"]),
        "keda": ("github.com/kedacore/keda/v2", pinned["programs"]["keda"]),
        **{
            f"kubernetes-{minor}": ("k8s.io/kubernetes", version)
            for minor, version in pinned["kubernetes"].items()
        },
    }

    assert {path.name for path in (HERE / "modules").iterdir()} == set(wanted)
    assert {name for name, one in wanted.items() if one not in _required(name)} == set()


def test_engines_have_the_versions_of_the_charts_that_the_stack_installs() -> None:
    programs = versions()["programs"]

    assert (programs["keda"], programs["karpenter"]) == (KEDA.version, KARPENTER.version)
