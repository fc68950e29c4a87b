"""Nodes: their fabric, disks, metadata service and taints."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pulumi
import pytest

from components.accelerators import CATALOGUE
from components.launch_template import network_interfaces
from components.node_group import taints
from components.node_pool import NodePool, NodePoolArgs
from components.settings import PoolConfig

from .mocks import Cloud, run


def pool(subnets: Sequence[str] = ("subnet-1",), **config: Any) -> Cloud:
    def declare() -> None:
        args = NodePoolArgs(
            name="dc", pool="p", region="us-east-1",
            config=PoolConfig(**{"instance_type": "m7i.large", "desired_size": 2, **config}),
            kubernetes_version="1.34", cluster_name="dc", cluster_security_group_id="sg-1", vpc_id="vpc-1",
            subnet_ids=[pulumi.Output.from_input(subnet) for subnet in subnets], key_arn="arn:key", tags={"team": "t"},
        )  # fmt: skip
        NodePool("pool-p", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def template(cloud: Cloud) -> dict[str, Any]:
    return cloud.of("aws:ec2/launchTemplate:LaunchTemplate")["pool-p-template"]


@pytest.mark.parametrize(("name", "count"), [("p5.48xlarge", 32), ("p5en.48xlarge", 16), ("p6-b200.48xlarge", 8)])
def test_every_card_carries_one_efa_and_card_0_the_address_beside_it(name: str, count: int) -> None:
    found = network_interfaces(CATALOGUE[name], count, ["sg-1"])
    assert [(i.network_card_index, i.device_index, i.interface_type) for i in found] == [
        (0, 0, "interface"),
        (0, 1, "efa-only"),
        *((card, 0, "efa-only") for card in range(1, count)),
    ]


def test_a_type_without_efa_gets_no_interfaces_and_no_fabric_group() -> None:
    cloud = pool()
    assert "networkInterfaces" not in template(cloud)
    assert template(cloud)["vpcSecurityGroupIds"] == ["sg-1"]
    assert cloud.of("aws:ec2/securityGroup:SecurityGroup") == {}


def test_the_root_disk_is_encrypted_gp3_and_pods_cannot_reach_the_node_s_role() -> None:
    found = template(pool())
    ebs = found["blockDeviceMappings"][0]["ebs"]
    assert (ebs["volumeType"], ebs["encrypted"], ebs["kmsKeyId"]) == ("gp3", "true", "arn:key")
    assert (found["metadataOptions"]["httpTokens"], found["metadataOptions"]["httpPutResponseHopLimit"]) == (
        "required",
        1,
    )


def test_fabric_rules_name_their_own_group_in_and_out() -> None:
    cloud = pool(instance_type="p5.48xlarge")
    for direction in ("Ingress", "Egress"):
        (rule,) = cloud.of(f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule").values()
        assert rule["securityGroupId"] == rule["referencedSecurityGroupId"] == "pool-p-fabric-id"
        assert rule["ipProtocol"] == "-1"


def test_no_template_names_a_subnet() -> None:
    assert "subnetId" not in str(template(pool(instance_type="p5.48xlarge")))


def test_a_capacity_block_is_in_the_template_with_its_type() -> None:
    cloud = pool(instance_type="p5.48xlarge", capacity="capacity_block", capacity_reservation_id="cr-0123456789abcdef0")
    found, (group,) = template(cloud), cloud.of("aws:eks/nodeGroup:NodeGroup").values()
    assert found["instanceMarketOptions"]["marketType"] == "capacity-block"
    assert found["instanceType"] == "p5.48xlarge"
    assert "instanceTypes" not in group
    assert group["capacityType"] == "CAPACITY_BLOCK"


def test_a_placement_group_is_there_only_when_asked_for() -> None:
    assert pool().of("aws:ec2/placementGroup:PlacementGroup") == {}
    assert template(pool(placement_group=True, zone="us-east-1a"))["placement"] == {"groupName": "dc-p"}


@pytest.mark.parametrize(
    ("name", "key"),
    [("p5.48xlarge", "nvidia.com/gpu"), ("trn2.48xlarge", "aws.amazon.com/neuron"), ("m7i.large", None)],
)
def test_accelerator_pools_are_tainted(name: str, key: str | None) -> None:
    found = taints(PoolConfig(instance_type=name, desired_size=1))
    assert [taint.key for taint in found] == ([key] if key else [])


def test_the_ami_release_is_pinned() -> None:
    (group,) = pool(ami_release="1.34.1-20251001").of("aws:eks/nodeGroup:NodeGroup").values()
    assert group["releaseVersion"] == "1.34.1-20251001"


def test_a_card_that_takes_no_efa_carries_the_address_only() -> None:
    found = network_interfaces(CATALOGUE["p6-b300.48xlarge"], 16, ["sg-1"])
    assert [(i.network_card_index, i.device_index, i.interface_type) for i in found] == [
        (0, 0, "interface"),
        *((card, 0, "efa-only") for card in range(1, 17)),
    ]


def test_fewer_adapters_or_none_are_what_was_asked_for() -> None:
    assert len(template(pool(instance_type="p5.48xlarge", efa_interfaces=4))["networkInterfaces"]) == 5
    without = pool(instance_type="p5.48xlarge", efa_interfaces=0)
    assert "networkInterfaces" not in template(without)
    assert without.of("aws:ec2/securityGroup:SecurityGroup") == {}


@pytest.mark.parametrize(
    ("config", "strategy"),
    [
        ({}, "DEFAULT"),
        ({"instance_type": "p5.48xlarge"}, "MINIMAL"),
        ({"capacity_reservation_id": "cr-0123456789abcdef0"}, "MINIMAL"),
        ({"instance_type": "p5.48xlarge", "update_strategy": "default"}, "DEFAULT"),
    ],
)
def test_an_update_surges_only_where_there_can_be_a_spare_machine(config: dict[str, Any], strategy: str) -> None:
    (group,) = pool(**config).of("aws:eks/nodeGroup:NodeGroup").values()
    assert group["updateConfig"]["updateStrategy"] == strategy


def node_spec(**config: Any) -> dict[str, Any]:
    """What the user data says to nodeadm."""
    text = base64.b64decode(template(pool(**config))["userData"]).decode()
    (line,) = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(line)["spec"]


def test_disks_and_most_pods_reach_the_node_s_configuration() -> None:
    assert "userData" not in template(pool())
    spec = node_spec(instance_type="p5.48xlarge", efa_interfaces=0, max_pods=40)
    assert spec == {"instance": {"localStorage": {"strategy": "RAID0"}}, "kubelet": {"config": {"maxPods": 40}}}


@pytest.mark.parametrize("instance_type", ["p5.48xlarge", "m7i.48xlarge"])
def test_containers_beside_efa_may_lock_the_machine_s_memory_and_open_as_many_files_as_elsewhere(
    instance_type: str,
) -> None:
    limits = node_spec(instance_type=instance_type)["containerd"]["baseRuntimeSpec"]["process"]["rlimits"]
    memory = CATALOGUE[instance_type].memory_gib << 30
    assert {one["type"]: (one["soft"], one["hard"]) for one in limits} == {
        "RLIMIT_NOFILE": (65_536, 1_048_576),
        "RLIMIT_MEMLOCK": (memory, memory),
    }


def test_repairs_and_machines_that_wait_are_as_asked_for_and_not_there_otherwise() -> None:
    (plain,) = pool().of("aws:eks/nodeGroup:NodeGroup").values()
    assert "nodeRepairConfig" not in plain
    assert "warmPoolConfig" not in plain
    (group,) = (
        pool(node_repair={}, warm_pool={"min_size": 3}, autoscaled=True, max_size=9)
        .of("aws:eks/nodeGroup:NodeGroup")
        .values()
    )
    assert group["nodeRepairConfig"] == {
        "enabled": True, "maxParallelNodesRepairedCount": 1, "maxUnhealthyNodeThresholdPercentage": 20,
    }  # fmt: skip
    assert group["warmPoolConfig"] == {"minSize": 3, "maxGroupPreparedCapacity": 5, "poolState": "STOPPED"}
