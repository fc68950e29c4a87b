"""New nodes take no work until their checks have passed: a pod on each of them checks it, and takes its taint off.

The kubelet registers the node with the taint and with a label of the same name (see ``launch_template``; those of
others in ``karpenter_pools`` and ``tpu_pool``), by which a DaemonSet's pod comes. When the checks pass it takes both
off, and goes, for the label that called it is gone. When they fail it writes the reason on the node and tries again,
more seldom each time. Whoever puts the label on a node that has been repaired has it checked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from . import namespaces
from . import node_verification_pod as pod
from . import node_verification_rights as rights
from .naming import component_type
from .node_verification_rights import ACCOUNT, NAMESPACE
from .verified_nodes import CheckedNodes


@dataclass(frozen=True, kw_only=True)
class NodeVerificationArgs:
    """Arguments of :class:`NodeVerification`.

    Attributes:
        nodes: what is checked, by the name that its DaemonSet gets.
        image: where nodes pull the workload from.
        vpc_cidr: the range of the network that the API server's own addresses are in.
        service_cidr: the range of the Services' addresses.
    """

    nodes: dict[str, CheckedNodes]
    image: pulumi.Input[str]
    vpc_cidr: str
    service_cidr: str


class NodeVerification(pulumi.ComponentResource):
    """Namespace, rights, and the pods of each pool."""

    def __init__(self, name: str, args: NodeVerificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(NodeVerification), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._create_namespace()
        policies = self._create_network_policies()
        allowed = self._create_rights()
        self._create_daemon_sets(after=[*policies, *allowed])
        self.register_outputs({})

    def _create_namespace(self) -> None:
        namespace = namespaces.create_namespace(f"{self._name}-namespace", NAMESPACE, "restricted", self._child)
        self._inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])

    def _create_network_policies(self) -> list[pulumi.Resource]:
        """The API server, by its address: no names, no credentials of the cloud, nobody else."""
        egress = [namespaces.to_api_server(self._args.vpc_cidr, self._args.service_cidr)]
        return namespaces.confine(
            self._name, NAMESPACE, pod.LABELS, self._inside, egress=egress, among_themselves=False
        )

    def _create_rights(self) -> list[pulumi.Resource]:
        """The policy before the role: there is no moment at which the account may do more."""
        account = kubernetes.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata={"name": ACCOUNT, "namespace": NAMESPACE},
            automount_service_account_token=False,
            opts=self._inside,
        )
        specification: Any = rights.policy()
        policy = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{self._name}-policy", metadata={"name": rights.POLICY}, spec=specification, opts=self._child
        )
        in_force = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{self._name}-policy-binding",
            metadata={"name": rights.POLICY},
            spec={"policy_name": rights.POLICY, "validation_actions": ["Deny", "Audit"]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        rules: Any = rights.RULES
        role = kubernetes.rbac.v1.ClusterRole(
            f"{self._name}-role", metadata={"name": rights.ROLE}, rules=rules, opts=self._child
        )
        binding = kubernetes.rbac.v1.ClusterRoleBinding(
            f"{self._name}-role-binding",
            metadata={"name": rights.ROLE},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": rights.ROLE},
            subjects=[rights.SUBJECT],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, role, in_force]),
        )
        return [binding]

    def _create_daemon_sets(self, after: list[pulumi.Resource]) -> None:
        for name, nodes in self._args.nodes.items():
            kubernetes.apps.v1.DaemonSet(
                f"{self._name}-{name}",
                metadata={
                    "name": name,
                    "namespace": NAMESPACE,
                    "labels": pod.LABELS,
                    # Its pods come and go with nodes, and one that stays is a node's trouble, not the deployment's.
                    "annotations": {"pulumi.com/skipAwait": "true"},
                },
                spec={
                    "selector": {"match_labels": pod.labels(nodes)},
                    # A new image is of no use to a check that runs, and to those that come it is given anyway.
                    "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": "100%"}},
                    "template": self._template(nodes),
                },
                opts=pulumi.ResourceOptions(parent=self, depends_on=after),
            )

    def _template(self, nodes: CheckedNodes) -> Any:
        return pulumi.Output.from_input(self._args.image).apply(lambda image: pod.template(nodes, image=image))
