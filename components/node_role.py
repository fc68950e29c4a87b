"""What a pool's machines may do in AWS: join their cluster, pull images, and be configured by Systems Manager."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import managed_policy_arn
from .network import service_trust

_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")


def create_node_role(
    name: str, role_name: str, region: str, child: pulumi.ResourceOptions
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """The role, and the policies that must be there before the machines are; ``name`` begins the children's names."""
    role = aws.iam.Role(
        f"{name}-role",
        name=role_name,
        assume_role_policy=json.dumps(service_trust("ec2.amazonaws.com")),
        opts=child,
    )
    policies: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy}", role=role.name, policy_arn=managed_policy_arn(policy, region), opts=child
        )
        for policy in _POLICIES
    ]
    policies.append(
        aws.iam.RolePolicy(f"{name}-systems-manager", role=role.name, policy=json.dumps(systems_manager()), opts=child)
    )
    return role, policies


def systems_manager() -> dict[str, Any]:
    """What the Systems Manager agent needs to register a node and to apply associations.

    AmazonSSMManagedInstanceCore without its right to read every parameter of the account. It is there before the
    machines: an agent that is refused asks again after minutes, then after ever longer.
    """
    ssm = (
        "DescribeAssociation", "DescribeDocument", "GetDocument", "ListAssociations", "ListInstanceAssociations",
        "PutComplianceItems", "PutInventory", "UpdateAssociationStatus", "UpdateInstanceAssociationStatus",
        "UpdateInstanceInformation",
    )  # fmt: skip
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    messages = ("AcknowledgeMessage", "DeleteMessage", "FailMessage", "GetEndpoint", "GetMessages", "SendReply")
    actions = [
        *(f"ssm:{action}" for action in ssm),
        *(f"ssmmessages:{action}" for action in channels),
        *(f"ec2messages:{action}" for action in messages),
    ]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
