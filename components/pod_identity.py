"""Who a pod is in AWS: its service account, a role, and EKS Pod Identity between the two."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True, kw_only=True)
class PodIdentityArgs:
    """``account``: the service account's name; ``policy``: all that its pods may do in AWS, as JSON."""

    role_name: str
    cluster_name: pulumi.Input[str]
    namespace: str
    account: str
    policy: pulumi.Input[str]


def create_pod_identity(
    name: str, args: PodIdentityArgs, child: pulumi.ResourceOptions, inside: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """The service account and the least that it may do in AWS; its pods come after all of it.

    Args:
        name: the component's, which the resources' names begin with.
        child: options of what is in AWS.
        inside: options of what is in the namespace, which comes after it.
    """
    account = kubernetes.core.v1.ServiceAccount(
        f"{name}-account",
        metadata={"name": args.account, "namespace": args.namespace},
        automount_service_account_token=False,
        opts=inside,
    )
    role = aws.iam.Role(
        f"{name}-role", name=args.role_name, assume_role_policy=json.dumps(pod_identity_trust()), opts=child
    )
    policy = aws.iam.RolePolicy(f"{name}-policy", role=role.name, policy=args.policy, opts=child)
    association = aws.eks.PodIdentityAssociation(
        f"{name}-identity",
        cluster_name=args.cluster_name,
        namespace=args.namespace,
        service_account=args.account,
        role_arn=role.arn,
        opts=child,
    )
    return [account, policy, association]


def pod_identity_trust() -> dict[str, Any]:
    """The trust policy of a role that pods take through EKS Pod Identity."""
    principal = {"Service": "pods.eks.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    return {"Version": "2012-10-17", "Statement": [statement]}
