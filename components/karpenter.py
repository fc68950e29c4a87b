"""What Karpenter needs on AWS's side: its controller's rights, its nodes' role, and news of machines that are to go.

The controller itself is not installed from here: it brings its own definitions and is released on its own schedule. It
has to be put into the cluster beside this program, by its chart, with the service account :data:`SERVICE_ACCOUNT` in
:data:`NAMESPACE` and the queue and cluster that the outputs name. It runs on nodes of the section ``pools``, never on
its own. What it makes nodes of is :mod:`components.karpenter_pools`'s.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .karpenter_access import ControllerRights, controller_policy, queue_policy
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .node_role import create_node_role
from .pod_identity import pod_identity_trust
from .settings import KarpenterConfig

NAMESPACE, SERVICE_ACCOUNT = "kube-system", "karpenter"  # Karpenter's chart, where nothing else is said
NODES = "nodes-made-by-karpenter"  # beside the pools' names, which are shorter
_RULE_LIMIT = 64  # EventBridge API reference, PutRule
_QUEUE_LIMIT = 80  # SQS API reference, CreateQueue
# A warning is of use for the two minutes before a spot machine goes (Karpenter, "Interruption").
_KEPT_S = 300
# What the controller acts on; it drops the rest (its interruption messages' parsers).
_EVENTS: dict[str, dict[str, Any]] = {
    "spot-interruption": {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
    "rebalance": {"source": ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation"]},
    "instance-state": {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Instance State-change Notification"],
        "detail": {"state": ["stopping", "stopped", "shutting-down", "terminated"]},
    },
    "maintenance": {
        "source": ["aws.health"],
        "detail-type": ["AWS Health Event"],
        "detail": {"service": ["EC2"], "eventTypeCategory": ["scheduledChange"]},
    },
}


@dataclass(frozen=True, kw_only=True)
class KarpenterArgs:
    """Arguments of :class:`Karpenter`.

    Attributes:
        name: the data centre's.
        subnet_ids: where its nodes may be.
        security_group_id: the group that every node of the cluster is in.
        key_arn: the KMS key of the nodes' disks.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: KarpenterConfig
    cluster_name: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class Karpenter(pulumi.ComponentResource):
    """The interruption queue, the controller's role, and the role that its nodes join with.

    Attributes:
        queue_name: the queue, the chart's ``settings.interruptionQueue``.
        controller_role_arn: the role of the controller's service account.
        node_role_arn: the role of the nodes.
        node_role_name: the same by name, to attach policies to.
        instance_profile_name: what gives machines that role.
    """

    queue_name: pulumi.Output[str]
    controller_role_arn: pulumi.Output[str]
    node_role_arn: pulumi.Output[str]
    node_role_name: pulumi.Output[str]
    instance_profile_name: pulumi.Output[str]

    def __init__(self, name: str, args: KarpenterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Karpenter), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        queue = self._create_queue()
        profile = self._create_nodes_identity()
        controller = self._create_controller(queue, profile)
        self.queue_name, self.controller_role_arn = queue.name, controller.arn
        self.instance_profile_name = profile.name
        self.register_outputs({"queue_name": self.queue_name, "controller_role_arn": self.controller_role_arn})

    def _create_queue(self) -> aws.sqs.Queue:
        """Encrypted by SQS' own key: EventBridge may write with one of the stack's only if that key's policy says so
        for all rules of the account, and a warning that a machine goes is nobody's secret."""
        queue = aws.sqs.Queue(
            f"{self._name}-queue",
            name=fit(self._args.name, "karpenter", limit=_QUEUE_LIMIT),
            message_retention_seconds=_KEPT_S,
            sqs_managed_sse_enabled=True,
            opts=self._child,
        )
        rules = {label: self._create_rule(label, pattern) for label, pattern in _EVENTS.items()}
        policy = aws.sqs.QueuePolicy(
            f"{self._name}-queue-policy",
            queue_url=queue.url,
            policy=pulumi.Output.all(queue.arn, *(rule.arn for rule in rules.values())).apply(
                lambda arns: json.dumps(queue_policy(arns[0], arns[1:]))
            ),
            opts=self._child,
        )
        after = pulumi.ResourceOptions(parent=self, depends_on=[policy])
        for label, rule in rules.items():
            name = f"{self._name}-on-{label}-tell"
            aws.cloudwatch.EventTarget(name, rule=rule.name, target_id="karpenter", arn=queue.arn, opts=after)
        return queue

    def _create_rule(self, label: str, pattern: dict[str, Any]) -> aws.cloudwatch.EventRule:
        return aws.cloudwatch.EventRule(
            f"{self._name}-on-{label}",
            name=fit(self._args.name, "karpenter", label, limit=_RULE_LIMIT),
            event_pattern=json.dumps(pattern, sort_keys=True),
            opts=self._child,
        )

    def _create_nodes_identity(self) -> aws.iam.InstanceProfile:
        """Node groups let their nodes into the cluster themselves; for machines of somebody else it has to be said."""
        args = self._args
        role_name = fit(args.name, args.region, "karpenter-nodes", limit=IAM_ROLE_LIMIT)
        role, policies = create_node_role(f"{self._name}-nodes", role_name, args.region, self._child)
        self.node_role_arn, self.node_role_name = role.arn, role.name
        aws.eks.AccessEntry(
            f"{self._name}-nodes-entry",
            cluster_name=args.cluster_name,
            principal_arn=role.arn,
            type="EC2_LINUX",
            opts=self._child,
        )
        return aws.iam.InstanceProfile(
            f"{self._name}-nodes-profile",
            name=role_name,
            role=role.name,
            opts=pulumi.ResourceOptions(parent=self, depends_on=policies),
        )

    def _create_controller(self, queue: aws.sqs.Queue, profile: aws.iam.InstanceProfile) -> aws.iam.Role:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-controller-role",
            name=fit(args.name, args.region, "karpenter", limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(pod_identity_trust()),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-controller-policy", role=role.name, policy=self._policy(queue, profile), opts=self._child
        )
        aws.eks.PodIdentityAssociation(
            f"{self._name}-controller-identity",
            cluster_name=args.cluster_name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        return role

    def _policy(self, queue: aws.sqs.Queue, profile: aws.iam.InstanceProfile) -> pulumi.Output[str]:
        args = self._args
        known: dict[str, Any] = {
            "account_id": args.account_id,
            "cluster_name": args.cluster_name,
            "subnet_ids": args.subnet_ids,
            "security_group_id": args.security_group_id,
            "node_role_arn": self.node_role_arn,
            "instance_profile_arn": profile.arn,
            "key_arn": args.key_arn,
            "queue_arn": queue.arn,
        }
        spot = any("spot" in pool.capacities for pool in args.config.pools.values())
        return pulumi.Output.from_input(known).apply(
            lambda found: json.dumps(controller_policy(ControllerRights(region=args.region, spot=spot, **found)))
        )
