"""What pods may be and whom they may reach: enough for the training job, and no more."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from components.smoke_test_pod import LABELS

from .test_datacenter import program, template


def allowed(stack: str, direction: str) -> list[dict[str, Any]]:
    policies = program(stack)[0].of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    return policies["smoke-test-allowed"]["spec"][direction]


def test_the_job_s_pods_reach_each_other_on_every_port_and_are_reached_by_nobody_else() -> None:
    own = [{"podSelector": {"matchLabels": LABELS}}]
    assert allowed("prod", "ingress") == [{"from": own}]
    assert {"to": own} in allowed("prod", "egress")


def test_the_job_s_pods_reach_names_credentials_and_s3_but_neither_the_vpc_nor_the_node_s_metadata() -> None:
    blocks = [peer["ipBlock"] for rule in allowed("prod", "egress") for peer in rule["to"] if "ipBlock" in peer]

    def reached(address: str) -> bool:
        return any(
            ip_address(address) in ip_network(block["cidr"])
            and not any(ip_address(address) in ip_network(one) for one in block.get("except", []))
            for block in blocks
        )

    assert reached("169.254.170.23")
    assert reached("52.219.100.1")
    assert not reached("169.254.169.254")
    assert not reached("10.64.3.7")
    ports = {port["port"] for rule in allowed("prod", "egress") for port in rule.get("ports", [])}
    assert ports == {53, 80, 443}


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_pods_are_held_to_the_strictest_standard_with_efa_too(stack: str) -> None:
    (namespace,) = [
        one["metadata"]
        for one in program(stack)[0].of("kubernetes:core/v1:Namespace").values()
        if one["metadata"]["name"] == "smoke-test"
    ]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_a_pod_is_what_its_namespace_demands(stack: str) -> None:
    pod = template(stack)
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert all("emptyDir" in volume for volume in pod["volumes"])


def test_a_team_s_pods_reach_their_own_namespace_and_are_reached_by_no_other_team() -> None:
    policies = program("prod")[0].of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    for team in ("training", "research"):
        spec = policies[f"scheduling-{team}-allowed"]["spec"]
        assert spec["ingress"] == [{"from": [{"podSelector": {"matchLabels": {}}}]}]
        assert not any("namespaceSelector" in peer for rule in spec["ingress"] for peer in rule["from"])
