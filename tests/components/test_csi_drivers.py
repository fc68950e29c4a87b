"""The drivers: only those that something needs, pinned, and with no more rights than they use."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.csi_drivers import CsiDrivers, CsiDriversArgs, ebs_policy, efs_policy
from components.releases import ADDONS, CSI_ADDONS

from .mocks import Cloud, run

SYSTEM = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1"
EBS_POLICY = ebs_policy("123456789012", "us-east-1", "arn:key")
EFS_POLICY = efs_policy("123456789012", "us-east-1", [SYSTEM])


def drivers(*, ebs: bool = False, efs: bool = False, fsx: bool = False) -> Cloud:
    def declare() -> None:
        args = CsiDriversArgs(
            name="dc", region="us-east-1", account_id="123456789012", kubernetes_version="1.34", cluster_name="dc",
            key_arn="arn:key", ebs=ebs, efs_arns=[pulumi.Output.from_input(SYSTEM)] if efs else [], fsx=fsx, after=[],
        )  # fmt: skip
        CsiDrivers("csi-drivers", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def addons(cloud: Cloud) -> dict[str, dict[str, Any]]:
    return {one["addonName"]: one for one in cloud.of("aws:eks/addon:Addon").values()}


@pytest.mark.parametrize("needs", ["ebs", "efs", "fsx"])
def test_only_the_driver_that_is_needed_is_installed_at_its_pinned_version(needs: str) -> None:
    name = f"aws-{needs}-csi-driver"
    found = addons(drivers(**{needs: True}))
    assert {one: addon["addonVersion"] for one, addon in found.items()} == {name: CSI_ADDONS["1.34"][name]}


def test_every_kubernetes_version_has_its_drivers_pinned() -> None:
    assert set(CSI_ADDONS) == set(ADDONS)


def test_the_controllers_have_roles_of_their_own_through_pod_identity_and_fsx_has_none() -> None:
    cloud = drivers(ebs=True, efs=True, fsx=True)
    accounts = {
        name: [one["serviceAccount"] for one in addon.get("podIdentityAssociations", [])]
        for name, addon in addons(cloud).items()
    }
    assert accounts == {
        "aws-ebs-csi-driver": ["ebs-csi-controller-sa"],
        "aws-efs-csi-driver": ["efs-csi-controller-sa"],
        "aws-fsx-csi-driver": [],
    }
    assert len(cloud.of("aws:iam/role:Role")) == 2
    for role in cloud.of("aws:iam/role:Role").values():
        (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}


@pytest.mark.parametrize("policy", [EBS_POLICY, EFS_POLICY], ids=["ebs", "efs"])
def test_no_action_is_a_pattern_and_only_what_describes_ec2_is_for_every_resource(policy: dict[str, Any]) -> None:
    for statement in policy["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if "*" in statement["Resource"]:
            assert all(action.startswith("ec2:Describe") for action in statement["Action"])


@pytest.mark.parametrize(
    ("policy", "action", "tag"),
    [
        (EBS_POLICY, "ec2:DeleteVolume", "ebs.csi.aws.com/cluster"),
        (EBS_POLICY, "ec2:DeleteSnapshot", "ebs.csi.aws.com/cluster"),
        (EFS_POLICY, "elasticfilesystem:DeleteAccessPoint", "efs.csi.aws.com/cluster"),
    ],
)
def test_a_driver_deletes_only_what_it_made(policy: dict[str, Any], action: str, tag: str) -> None:
    (statement,) = [one for one in policy["Statement"] if action in one["Action"]]
    assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{tag}": "true"}}


def test_folders_are_made_on_the_declared_file_systems_and_no_others() -> None:
    (statement,) = [one for one in EFS_POLICY["Statement"] if "elasticfilesystem:CreateAccessPoint" in one["Action"]]
    assert statement["Resource"] == [SYSTEM]


def test_the_key_is_used_through_ec2_and_granted_to_aws_disks_only() -> None:
    use, grant = [one for one in EBS_POLICY["Statement"] if one["Sid"].startswith("Key")]
    through = {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}
    assert use["Condition"] == through
    assert grant["Condition"] == {**through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
