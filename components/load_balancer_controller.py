"""What the AWS Load Balancer Controller needs on AWS's side to keep target groups in line with pods.

The controller itself is not installed from here: it brings its own definitions, webhooks and their certificates, and is
released on its own schedule. It has to be put into the cluster beside this program, by its chart or manifests, with the
service account :data:`SERVICE_ACCOUNT`; until then a ``TargetGroupBinding`` is not even known, and target groups stay
empty.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import IAM_ROLE_LIMIT, component_type, fit
from .network import service_trust

NAMESPACE, SERVICE_ACCOUNT = "kube-system", "aws-load-balancer-controller"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerControllerArgs:
    """Arguments of :class:`LoadBalancerController`.

    Attributes:
        target_group_arns: the groups whose targets it may change.
    """

    name: str
    region: str
    cluster_name: pulumi.Input[str]
    target_group_arns: Sequence[pulumi.Input[str]]


class LoadBalancerController(pulumi.ComponentResource):
    """A role that may bind targets and do nothing else, for the controller's service account.

    Attributes:
        role_arn: the role.
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: LoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(LoadBalancerController), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            name=fit(args.name, args.region, "load-balancer-controller", limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(service_trust("pods.eks.amazonaws.com", "sts:TagSession")),
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=pulumi.Output.all(*args.target_group_arns).apply(lambda arns: json.dumps(bind_targets(arns))),
            opts=child,
        )
        aws.eks.PodIdentityAssociation(
            f"{name}-identity",
            cluster_name=args.cluster_name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})


def bind_targets(target_group_arns: Sequence[str]) -> dict[str, Any]:
    """Registering targets of these groups; describing cannot be narrowed (service authorization reference)."""
    network = ("AvailabilityZones", "Instances", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    describe = [
        *(f"ec2:Describe{what}" for what in network),
        *(f"elasticloadbalancing:Describe{what}" for what in ("TargetGroups", "TargetHealth", "Tags")),
    ]
    change = [f"elasticloadbalancing:{verb}Targets" for verb in ("Register", "Deregister")]
    statements = [
        {"Effect": "Allow", "Action": describe, "Resource": "*"},
        {"Effect": "Allow", "Action": change, "Resource": list(target_group_arns)},
    ]
    return {"Version": "2012-10-17", "Statement": statements}
