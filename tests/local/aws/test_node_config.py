"""The taints and labels that user data gives a node at its registration are read as nodeadm reads them."""

from __future__ import annotations

import base64

import pytest

from components.launch_template import user_data
from components.settings import UNVERIFIED, PoolConfig
from local.aws.node_config import Registration, registration
from local.node_spec import NodeSpec, Taint
from local.paths import LocalCloudError


def parts(*documents: str, kind: str = "application/node.eks.aws") -> str:
    lines = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="B"', ""]
    for document in documents:
        lines += ["--B", f"Content-Type: {kind}", "", document]
    return base64.b64encode("\n".join([*lines, "--B--", ""]).encode()).decode()


def test_what_a_verified_pool_declares_arrives() -> None:
    pool = PoolConfig(instance_type="p5en.48xlarge", desired_size=1, verified=True)
    found = registration(user_data(pool))
    assert found.labels == {UNVERIFIED: "true"}
    assert found.taints == (Taint("nvidia.com/gpu", "present"), Taint(UNVERIFIED))


@pytest.mark.parametrize("data", [None, "", parts("#!/bin/sh", kind="text/x-shellscript"), parts("{spec: {}}")])
def test_user_data_without_any_registers_with_nothing(data: str | None) -> None:
    assert registration(data) == Registration()


def test_flags_of_all_parts_add_up_and_the_last_list_of_taints_stands() -> None:
    first = "spec: {kubelet: {flags: ['--node-labels=a=1,b=2'], config: {registerWithTaints: []}}}"
    config = "{registerWithTaints: [{key: k, effect: NoExecute}]}"
    last = f"spec: {{kubelet: {{flags: ['--v=2', --node-labels=b=3], config: {config}}}}}"
    found = registration(parts(first, last))
    assert found == Registration({"a": "1", "b": "3"}, (Taint("k", "", "NoExecute"),))


@pytest.mark.parametrize(
    "data", ["a", parts("spec: ["), parts("[1]"), parts("spec: {kubelet: {config: {registerWithTaints: [1]}}}")]
)
def test_what_cannot_be_read_is_told(data: str) -> None:
    with pytest.raises(LocalCloudError, match="no NodeConfig that nodeadm takes"):
        registration(data)


def test_a_node_registers_with_both_and_is_given_back_only_its_group_s() -> None:
    gpu = Taint("nvidia.com/gpu", "present")
    spec = NodeSpec(
        "n-0", "n", "p5en.48xlarge", "us-east-1a", 192, 8192, {"team": "a"}, (gpu,),
        first_labels={UNVERIFIED: "true"}, first_taints=(gpu, Taint(UNVERIFIED)),
    )  # fmt: skip
    manifest = spec.manifest()
    assert [taint["key"] for taint in manifest["spec"]["taints"]] == ["nvidia.com/gpu", UNVERIFIED]
    assert manifest["metadata"]["labels"][UNVERIFIED] == "true"
    assert UNVERIFIED not in spec.all_labels()
