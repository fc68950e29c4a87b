"""The EKS cluster: private, encrypted, logged, and signed in to through IAM."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .naming import IAM_ROLE_LIMIT, component_type, fit, managed_policy_arn, partition
from .network import service_trust
from .releases import ADDONS
from .settings import ClusterConfig

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# Add-ons whose pods need nodes: created after the first pool, or their creation waits for it in vain.
NEEDS_NODES = frozenset({"coredns"})
# NetworkPolicies are kept by every cluster, and heeded only where the CNI is told to (VPC CNI guide).
_SETTINGS = {"vpc-cni": {"enableNetworkPolicy": "true"}}
_ADMIN_POLICY = "arn:{}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """Arguments of :class:`Cluster`.

    Attributes:
        name: the cluster's.
        subnet_ids: private ones, in at least two zones.
        key_arn: the KMS key that encrypts secrets and logs.
    """

    name: str
    region: str
    config: ClusterConfig
    subnet_ids: Sequence[pulumi.Input[str]]
    key_arn: pulumi.Input[str]


class Cluster(pulumi.ComponentResource):
    """The control plane and what makes it usable; :meth:`add_node_addons` adds what needs nodes.

    Attributes:
        cluster_name: its name, once it is there.
        cluster_arn: its ARN.
        endpoint_url: the Kubernetes API.
        certificate_authority: whom clients of the API trust, in base64.
        security_group_id: the group that every node is in.
        oidc_issuer_url: who signs the tokens of its service accounts.
        kubeconfig: signs in through IAM, and holds no secret.
    """

    cluster_name: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    endpoint_url: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    oidc_issuer_url: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Cluster), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        logs = self._create_log_group()
        role, attachment = self._create_role()
        self._cluster = self._create_cluster(role, after=[logs, attachment])
        self._describe(self._cluster)
        self._create_oidc_provider()
        self._create_access_entries()
        self._create_addons([addon for addon in self._pinned() if addon not in NEEDS_NODES])
        self.register_outputs({"cluster_name": self.cluster_name, "endpoint_url": self.endpoint_url})

    def add_node_addons(self, after: Sequence[pulumi.Resource]) -> None:
        """Create the add-ons that cannot become active before there are nodes."""
        self._create_addons([addon for addon in self._pinned() if addon in NEEDS_NODES], after)

    def _pinned(self) -> dict[str, str]:
        return dict(ADDONS[self._args.config.version])

    def _create_log_group(self) -> aws.cloudwatch.LogGroup:
        """EKS would make this group itself, without an end of retention and without the key."""
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/eks/{self._args.name}/cluster",
            retention_in_days=self._args.config.log_retention_days,
            kms_key_id=self._args.key_arn,
            opts=self._child,
        )

    def _create_role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
        role = aws.iam.Role(
            f"{self._name}-role",
            name=fit(self._args.name, self._args.region, "cluster", limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(service_trust("eks.amazonaws.com", "sts:TagSession")),
            opts=self._child,
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._name}-role-policy",
            role=role.name,
            policy_arn=managed_policy_arn("AmazonEKSClusterPolicy", self._args.region),
            opts=self._child,
        )
        return role, attachment

    def _create_cluster(self, role: aws.iam.Role, after: list[pulumi.Resource]) -> aws.eks.Cluster:
        config = self._args.config
        return aws.eks.Cluster(
            f"{self._name}-cluster",
            name=self._args.name,
            role_arn=role.arn,
            version=config.version,
            # Pinned add-ons come below; the self-managed ones would have to be adopted.
            bootstrap_self_managed_addons=False,
            enabled_cluster_log_types=list(LOG_TYPES),
            access_config={
                "authentication_mode": "API",
                "bootstrap_cluster_creator_admin_permissions": True,
            },
            encryption_config={"provider": {"key_arn": self._args.key_arn}, "resources": ["secrets"]},
            kubernetes_network_config={"service_ipv4_cidr": str(config.service_cidr), "ip_family": "ipv4"},
            vpc_config={
                "subnet_ids": self._args.subnet_ids,
                "endpoint_private_access": True,
                "endpoint_public_access": bool(config.public_access_cidrs),
                "public_access_cidrs": [str(cidr) for cidr in config.public_access_cidrs] or None,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _describe(self, cluster: aws.eks.Cluster) -> None:
        self.cluster_name, self.cluster_arn = cluster.name, cluster.arn
        self.endpoint_url = cluster.endpoint
        self.certificate_authority = cluster.certificate_authority.apply(lambda authority: authority.data or "")
        self.security_group_id = cluster.vpc_config.apply(lambda vpc: vpc.cluster_security_group_id or "")
        self.oidc_issuer_url = cluster.identities.apply(lambda found: (found[0].oidcs or [])[0].issuer or "")
        self.kubeconfig = pulumi.Output.all(cluster.name, cluster.endpoint, self.certificate_authority).apply(
            lambda known: kubeconfig(known[0], known[1], known[2], self._args.region)
        )

    def _create_oidc_provider(self) -> None:
        aws.iam.OpenIdConnectProvider(
            f"{self._name}-oidc",
            url=self.oidc_issuer_url,
            client_id_lists=["sts.amazonaws.com"],
            opts=self._child,
        )

    def _create_access_entries(self) -> None:
        for arn in self._args.config.administrators:
            label = fit(self._name, "administrator", arn.rpartition("/")[2], limit=100)
            entry = aws.eks.AccessEntry(
                label, cluster_name=self.cluster_name, principal_arn=arn, type="STANDARD", opts=self._child
            )
            aws.eks.AccessPolicyAssociation(
                f"{label}-policy",
                cluster_name=self.cluster_name,
                principal_arn=entry.principal_arn,
                policy_arn=_ADMIN_POLICY.format(partition(self._args.region)),
                access_scope={"type": "cluster"},
                opts=self._child,
            )

    def _create_addons(self, names: list[str], after: Sequence[pulumi.Resource] = ()) -> None:
        for addon in names:
            aws.eks.Addon(
                f"{self._name}-{addon}",
                cluster_name=self.cluster_name,
                addon_name=addon,
                addon_version=self._pinned()[addon],
                configuration_values=json.dumps(_SETTINGS[addon]) if addon in _SETTINGS else None,
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
            )


def kubeconfig(name: str, endpoint_url: str, certificate_authority: str, region: str) -> str:
    """A kubeconfig that signs in when used: nothing in it expires, so it never changes from run to run."""
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    sign_in = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": arguments,
        "interactiveMode": "Never",
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": endpoint_url, "certificate-authority-data": certificate_authority}}
        ],
        "users": [{"name": name, "user": {"exec": sign_in}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(config, sort_keys=True)
