"""A machine's node is given its group's taints, and never again those that its kubelet registered it with."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from local.control_plane import ControlPlane
from local.machines import lifecycle, user_data
from local.node_spec import NodeSpec, Taint

UNVERIFIED = Taint("ai-datacenter/unverified")
SPEC = NodeSpec(
    "a-0", "a", "m7i.large", "eu-central-1a", 2, 8192, taints=(Taint("gpu", "present"),),
    first_labels={UNVERIFIED.key: "true"}, first_taints=(UNVERIFIED,),
)  # fmt: skip


class Api:
    """The API server's part in it: one Node, and the taints that it is patched with."""

    def __init__(self, *taints: dict[str, str]) -> None:
        metadata = {"labels": SPEC.all_labels(), "annotations": SPEC.annotations()}
        self.node = {"metadata": metadata, "spec": {"taints": list(taints)}}
        self.patched: list[str] | None = None

    def find(self, path: str) -> dict[str, Any]:
        return self.node

    def patch(self, path: str, body: dict[str, Any], kind: str) -> None:
        self.patched = [taint["key"] for taint in body["spec"]["taints"]]


def labelled(api: Api, spec: NodeSpec) -> list[str] | None:
    lifecycle._label(cast(ControlPlane, SimpleNamespace(api=lambda: api)), spec, SPEC)
    return api.patched


GPU = {"key": "gpu", "value": "present", "effect": "NoSchedule"}
HELD = {"key": UNVERIFIED.key, "effect": "NoSchedule"}


def test_the_kubelet_is_told_all_of_them() -> None:
    told = user_data.kubelet_configuration(SPEC, "198.18.0.9", user_data.HostSize(4, 16384))
    assert [taint["key"] for taint in told["registerWithTaints"]] == ["gpu", UNVERIFIED.key]
    (labels,) = [one for one in user_data.kubelet_arguments(SPEC, "198.18.0.9") if one.startswith("--node-labels=")]
    assert f"{UNVERIFIED.key}=true" in labels


def test_a_taint_of_the_registration_stays_while_others_come_and_go() -> None:
    assert labelled(Api(GPU, HELD), SPEC) is None
    assert labelled(Api(GPU, HELD), replace(SPEC, taints=(Taint("other"),))) == [UNVERIFIED.key, "other"]


def test_a_taint_of_the_registration_that_was_taken_off_does_not_come_back() -> None:
    assert labelled(Api(GPU), SPEC) is None
    assert labelled(Api(GPU), replace(SPEC, taints=(Taint("other"),))) == ["other"]
