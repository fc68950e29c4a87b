"""The drivers that bring EBS, EFS and FSx for Lustre to pods: pinned EKS add-ons, each with the least that it may do.

FSx' driver has no rights at all: volumes of a file system that is declared are mounted, and mounting asks no API. So a
pod cannot make, grow or delete file systems; the stack file does.

Buckets need no driver: training reads S3 by its API, and what wants files has Lustre mirror a prefix.

``*`` stands as a resource only for ``ec2:Describe…``, which EC2 lets nobody narrow.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import IAM_ROLE_LIMIT, component_type, fit, partition
from .pod_identity import pod_identity_trust
from .releases import CSI_ADDONS

EBS, EFS, FSX = "aws-ebs-csi-driver", "aws-efs-csi-driver", "aws-fsx-csi-driver"
# The service accounts of the drivers' controllers; nodes mount without rights of their own.
ACCOUNTS = {EBS: "ebs-csi-controller-sa", EFS: "efs-csi-controller-sa"}
# EBS guide, "Requirements for Amazon EBS encryption".
_KEY_ACTIONS = ("DescribeKey", "Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")
_EBS_TAG, _EFS_TAG = "ebs.csi.aws.com/cluster", "efs.csi.aws.com/cluster"


@dataclass(frozen=True, kw_only=True)
class CsiDriversArgs:
    """Arguments of :class:`CsiDrivers`.

    Attributes:
        key_arn: the KMS key that encrypts the disks.
        ebs: whether pods may ask for disks.
        efs_arns: the EFS file systems.
        fsx: whether there is an FSx for Lustre file system.
        after: the node groups, where the same program makes them: controllers need nodes.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    kubernetes_version: str
    cluster_name: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    ebs: bool = False
    efs_arns: Sequence[pulumi.Input[str]] = ()
    fsx: bool = False
    after: Sequence[pulumi.Resource] = ()


class CsiDrivers(pulumi.ComponentResource):
    """The add-ons that the declared storage needs, and their roles.

    Attributes:
        addons: the add-ons, by EKS' names.
    """

    addons: dict[str, aws.eks.Addon]

    def __init__(self, name: str, args: CsiDriversArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(CsiDrivers), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.addons = {}
        if args.ebs:
            known = pulumi.Output.all(args.account_id, args.key_arn)
            policy = known.apply(lambda found: json.dumps(ebs_policy(found[0], args.region, found[1])))
            self._create_addon(EBS, policy)
        if args.efs_arns:
            policy = pulumi.Output.all(args.account_id, *args.efs_arns).apply(
                lambda found: json.dumps(efs_policy(found[0], args.region, found[1:]))
            )
            self._create_addon(EFS, policy)
        if args.fsx:
            self._create_addon(FSX, None)
        self.register_outputs({"addons": list(self.addons)})

    def _create_addon(self, addon: str, policy: pulumi.Output[str] | None) -> None:
        identity: list[pulumi.Input[aws.eks.AddonPodIdentityAssociationArgsDict]] = []
        after = list(self._args.after)
        if policy is not None:
            role, rights = self._create_role(addon, policy)
            identity.append({"service_account": ACCOUNTS[addon], "role_arn": role.arn})
            after.append(rights)
        self.addons[addon] = aws.eks.Addon(
            f"{self._name}-{addon}",
            cluster_name=self._args.cluster_name,
            addon_name=addon,
            addon_version=CSI_ADDONS[self._args.kubernetes_version][addon],
            pod_identity_associations=identity or None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _create_role(self, addon: str, policy: pulumi.Output[str]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-{addon}-role",
            name=fit(args.name, args.region, addon, limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(pod_identity_trust()),
            opts=self._child,
        )
        return role, aws.iam.RolePolicy(f"{self._name}-{addon}-policy", role=role.name, policy=policy, opts=self._child)


def ebs_policy(account_id: str, region: str, key_arn: str) -> dict[str, Any]:
    """Disks and snapshots that bear the driver's tag, on instances of this account and region."""
    ec2 = f"arn:{partition(region)}:ec2:{region}"
    volumes, snapshots = f"{ec2}:{account_id}:volume/*", f"{ec2}::snapshot/*"
    instances = f"{ec2}:{account_id}:instance/*"
    asked, has = {f"aws:RequestTag/{_EBS_TAG}": "true"}, {f"aws:ResourceTag/{_EBS_TAG}": "true"}
    through = {"kms:ViaService": f"ec2.{region}.amazonaws.com"}
    looks = ("AvailabilityZones", "Instances", "Snapshots", "Tags", "Volumes", "VolumesModifications", "VolumeStatus")
    return _policy(
        _allow("Look", [f"ec2:Describe{what}" for what in looks], ["*"]),
        _allow("Make", ["ec2:CreateVolume"], [volumes], StringEquals=asked),
        _allow("MakeFromSnapshot", ["ec2:CreateVolume"], [snapshots]),
        _allow("Snapshot", ["ec2:CreateSnapshot"], [snapshots], StringEquals=asked),
        _allow("SnapshotOf", ["ec2:CreateSnapshot"], [volumes], StringEquals=has),
        _allow(
            "TagWhatIsMade",
            ["ec2:CreateTags"],
            [volumes, snapshots],
            StringEquals={"ec2:CreateAction": ["CreateVolume", "CreateSnapshot"]},
        ),
        _allow("Attach", ["ec2:AttachVolume", "ec2:DetachVolume"], [volumes], StringEquals=has),
        _allow("AttachTo", ["ec2:AttachVolume", "ec2:DetachVolume"], [instances]),
        _allow("Change", ["ec2:ModifyVolume", "ec2:DeleteVolume"], [volumes], StringEquals=has),
        _allow("DeleteSnapshot", ["ec2:DeleteSnapshot"], [snapshots], StringEquals=has),
        _allow("Key", [f"kms:{action}" for action in _KEY_ACTIONS], [key_arn], StringEquals=through),
        # The grant goes to EC2, which attaches the disk, and to nobody else.
        _allow(
            "KeyForDisks",
            ["kms:CreateGrant"],
            [key_arn],
            StringEquals=through,
            Bool={"kms:GrantIsForAWSResource": "true"},
        ),
    )


def efs_policy(account_id: str, region: str, arns: list[str]) -> dict[str, Any]:
    """Access points of the declared file systems: their folders are what claims get."""
    points = f"arn:{partition(region)}:elasticfilesystem:{region}:{account_id}:access-point/*"
    efs = "elasticfilesystem"
    return _policy(
        _allow("Zones", ["ec2:DescribeAvailabilityZones"], ["*"]),
        _allow("Look", [f"{efs}:DescribeFileSystems", f"{efs}:DescribeMountTargets"], arns),
        _allow("LookAtFolders", [f"{efs}:DescribeAccessPoints"], [*arns, points]),
        _allow("Make", [f"{efs}:CreateAccessPoint"], arns, StringEquals={f"aws:RequestTag/{_EFS_TAG}": "true"}),
        _allow(
            "TagWhatIsMade",
            [f"{efs}:TagResource"],
            [points],
            StringEquals={f"{efs}:CreateAction": "CreateAccessPoint"},
        ),
        _allow("Delete", [f"{efs}:DeleteAccessPoint"], [points], StringEquals={f"aws:ResourceTag/{_EFS_TAG}": "true"}),
    )


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resources: list[str], **conditions: dict[str, Any]) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": conditions} if conditions else statement
