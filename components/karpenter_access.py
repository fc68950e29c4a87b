"""What Karpenter's controller may do in AWS: start and end machines of this cluster, and no others.

The rights begin with those that Karpenter's reference publishes ("CloudFormation"). They are less where the stack knows
more: machines start in its own subnets and group only, and the instance profile is declared, so that the controller
needs no right to make one. They are more in two things: it uses the key of the nodes' disks, through EC2 only, for they
are encrypted with the stack's own; and where a pool buys spot machines, it may make the role of EC2's spot service,
which an account without any lacks. It tags all that it makes with the cluster's name and the pool's, and only what
bears those tags may it change or end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .naming import partition

NODE_POOL_TAG = "karpenter.sh/nodepool"
_CLUSTER_NAME_TAG = "eks:eks-cluster-name"
_LAUNCH = ["ec2:RunInstances", "ec2:CreateFleet"]
_CREATED = ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")
_DESCRIBED = (
    "CapacityReservations", "Images", "Instances", "InstanceStatus", "InstanceTypeOfferings", "InstanceTypes",
    "LaunchTemplates", "PlacementGroups", "SecurityGroups", "SpotPriceHistory", "Subnets",
)  # fmt: skip
# EC2 guide, "Requirements for Amazon EBS encryption": whoever starts a machine asks for its disks' key.
_DISK_KEY = ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")


@dataclass(frozen=True, kw_only=True)
class ControllerRights:
    """What the controller's rights are narrowed to.

    Attributes:
        subnet_ids: where its machines may be.
        security_group_id: the group that they are in.
        node_role_arn: the one role that it may give them.
        instance_profile_arn: the profile that holds the role.
        key_arn: the KMS key of their disks.
        queue_arn: where it hears of interruptions.
        spot: whether some pool buys spot machines.
    """

    region: str
    account_id: str
    cluster_name: str
    subnet_ids: Sequence[str]
    security_group_id: str
    node_role_arn: str
    instance_profile_arn: str
    key_arn: str
    queue_arn: str
    spot: bool

    def ec2(self, *things: str) -> list[str]:
        """ARNs of things in EC2 that are the account's, each as ``kind/id``."""
        return [f"arn:{self._partition}:ec2:{self.region}:{self.account_id}:{thing}" for thing in things]

    def amazon(self, *kinds: str) -> list[str]:
        """ARNs of all things of these kinds in EC2 that belong to no account: public images and their snapshots."""
        return [f"arn:{self._partition}:ec2:{self.region}::{kind}/*" for kind in kinds]

    @property
    def _partition(self) -> str:
        return partition(self.region)

    @property
    def roles(self) -> str:
        """Where the roles of AWS's services are."""
        return f"arn:{self._partition}:iam::{self.account_id}:role/aws-service-role"

    @property
    def cluster_arn(self) -> str:
        """The EKS cluster."""
        return f"arn:{self._partition}:eks:{self.region}:{self.account_id}:cluster/{self.cluster_name}"

    @property
    def parameters(self) -> str:
        """The parameters of Systems Manager that AWS publishes: which AMI a release is."""
        return f"arn:{self._partition}:ssm:{self.region}::parameter/aws/service/eks/optimized-ami/*"


def controller_policy(rights: ControllerRights) -> dict[str, Any]:
    """All that the controller may do."""
    statements = [*_machines(rights), *_identity(rights), *_disks(rights), *_reads(rights)]
    return {"Version": "2012-10-17", "Statement": statements}


def _owned(rights: ControllerRights, of: str) -> dict[str, Any]:
    """The condition that a request tags what it makes, or that a thing is tagged, as this cluster's."""
    cluster = {f"aws:{of}/kubernetes.io/cluster/{rights.cluster_name}": "owned"}
    if of == "RequestTag":
        cluster[f"aws:RequestTag/{_CLUSTER_NAME_TAG}"] = rights.cluster_name
    return {"StringEquals": cluster, "StringLike": {f"aws:{of}/{NODE_POOL_TAG}": "*"}}


def _machines(rights: ControllerRights) -> list[dict[str, Any]]:
    subnets = [f"subnet/{id}" for id in rights.subnet_ids]
    places = rights.ec2(*subnets, f"security-group/{rights.security_group_id}")
    made = rights.ec2(*(f"{kind}/*" for kind in _CREATED))
    being_made, there = _owned(rights, "RequestTag"), _owned(rights, "ResourceTag")
    at_creation = {"ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]}
    named = {"aws:TagKeys": [_CLUSTER_NAME_TAG, "karpenter.sh/nodeclaim", "Name"]}
    return [
        _allow("StartFrom", _LAUNCH, [*places, *rights.amazon("image", "snapshot")]),
        _allow("StartByTemplate", _LAUNCH, rights.ec2("launch-template/*"), there),
        _allow("Start", [*_LAUNCH, "ec2:CreateLaunchTemplate"], made, being_made),
        _allow(
            "TagWhatStarts",
            ["ec2:CreateTags"],
            made,
            {**being_made, "StringEquals": {**being_made["StringEquals"], **at_creation}},
        ),
        _allow(
            "NameMachines",
            ["ec2:CreateTags"],
            rights.ec2("instance/*"),
            {
                **there,
                "StringEqualsIfExists": {f"aws:RequestTag/{_CLUSTER_NAME_TAG}": rights.cluster_name},
                "ForAllValues:StringEquals": named,
            },
        ),
        _allow(
            "End",
            ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            rights.ec2("instance/*", "launch-template/*"),
            there,
        ),
    ]


def _identity(rights: ControllerRights) -> list[dict[str, Any]]:
    """Machines get the one role; the account's first spot machine makes the role of EC2's spot service."""
    spot = f"{rights.roles}/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
    to_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    of_spot = {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}
    return [
        _allow("GiveTheNodesRole", ["iam:PassRole"], [rights.node_role_arn], to_ec2),
        _allow("ReadTheProfile", ["iam:GetInstanceProfile"], [rights.instance_profile_arn]),
        *([_allow("FirstSpotMachine", ["iam:CreateServiceLinkedRole"], [spot], of_spot)] if rights.spot else []),
    ]


def _disks(rights: ControllerRights) -> list[dict[str, Any]]:
    """Through EC2 only. A node whose disk's key is refused ends as soon as it starts, and says nothing of it."""
    through = {"kms:ViaService": f"ec2.{rights.region}.amazonaws.com"}
    grant = {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        _allow("Disks", [f"kms:{action}" for action in _DISK_KEY], [rights.key_arn], {"StringEquals": through}),
        _allow("DiskGrants", ["kms:CreateGrant"], [rights.key_arn], grant),
    ]


def _reads(rights: ControllerRights) -> list[dict[str, Any]]:
    here = {"StringEquals": {"aws:RequestedRegion": rights.region}}
    queue = [f"sqs:{action}" for action in ("DeleteMessage", "GetQueueUrl", "ReceiveMessage")]
    return [
        _allow("Look", [f"ec2:Describe{what}" for what in _DESCRIBED], ["*"], here),
        _allow("FindImages", ["ssm:GetParameter"], [rights.parameters]),
        _allow("FindTheCluster", ["eks:DescribeCluster"], [rights.cluster_arn]),
        _allow("HearOfInterruptions", queue, [rights.queue_arn]),
        # Neither knows resources: prices are nobody's, and profiles are listed for the whole account.
        _allow("Unnarrowed", ["pricing:GetProducts", "iam:ListInstanceProfiles"], ["*"]),
    ]


def _allow(sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Any:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def queue_policy(queue_arn: str, rule_arns: Sequence[str]) -> dict[str, Any]:
    """The stack's own rules may write into the queue, and nobody reaches it without TLS."""
    rules = {"ArnEquals": {"aws:SourceArn": sorted(rule_arns)}}
    events = {"Service": "events.amazonaws.com"}
    write = {"Effect": "Allow", "Principal": events, "Action": "sqs:SendMessage", "Resource": queue_arn}
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    refuse = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue_arn}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Interruptions", **write, "Condition": rules},
            {"Sid": "TlsOnly", **refuse, "Condition": plain},
        ],
    }
