"""The GKE cluster that TPU slices join: private nodes, reached through its DNS name and IAM only."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from .gke_network import PODS, SERVICES
from .naming import component_type, fit
from .settings import TpuConfig

CLUSTER_LIMIT = 40  # characters of the name of a cluster or node pool (GKE API reference)
ACCOUNT_LIMIT = 30  # of a service account's id (IAM guide)
IMAGE = "train"
# What a node may ask Google for is its account's roles alone: scopes are the older way, and are all given.
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SHIELDED: gcp.container.NodePoolNodeConfigShieldedInstanceConfigArgsDict = {
    "enable_secure_boot": True,
    "enable_integrity_monitoring": True,
}
_LOGS = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")


@dataclass(frozen=True, kw_only=True)
class GkeArgs:
    """Arguments of :class:`Gke`.

    Attributes:
        name: the cluster's.
        config: the section ``tpu`` of the stack file.
        network_id: Google Cloud's network.
        subnet_id: the subnet in it, with the ranges of pods and Services.
        image: its tag or digest, with ``:`` or ``@``.
        retain: whether the cluster and images stop a destroy.
    """

    name: str
    config: TpuConfig
    network_id: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    image: str
    retain: bool


class Gke(pulumi.ComponentResource):
    """Cluster, the identity of its nodes, nodes without chips, and the registry of images beside it.

    Attributes:
        cluster_name: its name, once it is there.
        endpoint_url: the Kubernetes API.
        kubeconfig: signs in through Google Cloud, and holds no secret.
        node_account_email: the service account of its nodes.
        repository_url: the workload's repository.
        image: the workload's image in it.
        issuer_url: who signs the tokens of its service accounts.
    """

    cluster_name: pulumi.Output[str]
    endpoint_url: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    node_account_email: pulumi.Output[str]
    repository_url: str
    image: str
    issuer_url: str

    def __init__(self, name: str, args: GkeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Gke), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.node_account_email, self._account_role = self._create_node_account()
        self.cluster = self._create_cluster()
        self._describe(self.cluster)
        self.registry = self._create_registry()
        self.system_pool = self._create_system_pool()
        self.register_outputs({"cluster_name": self.cluster_name, "endpoint_url": self.endpoint_url})

    def _create_node_account(self) -> tuple[pulumi.Output[str], pulumi.Resource]:
        """Nodes' own identity with what nodes need (logs, metrics), instead of the project's default editor."""
        account = gcp.serviceaccount.Account(
            f"{self._name}-nodes-account",
            account_id=fit(self._args.name, "nodes", limit=ACCOUNT_LIMIT),
            display_name=f"Nodes of {self._args.name}",
            opts=self._child,
        )
        role = gcp.projects.IAMMember(
            f"{self._name}-nodes-role",
            project=self._args.config.project,
            role="roles/container.defaultNodeServiceAccount",
            member=pulumi.Output.concat("serviceAccount:", account.email),
            opts=self._child,
        )
        return account.email, role

    def _create_cluster(self) -> gcp.container.Cluster:
        args, config = self._args, self._args.config
        return gcp.container.Cluster(
            f"{self._name}-cluster",
            name=fit(args.name, limit=CLUSTER_LIMIT),
            location=config.region,
            network=args.network_id,
            subnetwork=args.subnet_id,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={"cluster_secondary_range_name": PODS, "services_secondary_range_name": SERVICES},
            datapath_provider="ADVANCED_DATAPATH",
            private_cluster_config={"enable_private_nodes": True},
            # No address to scan or to allow: the name leads to Google's front, which asks IAM.
            control_plane_endpoints_config={
                "dns_endpoint_config": {"allow_external_traffic": True},
                "ip_endpoints_config": {"enabled": False},
            },
            workload_identity_config={"workload_pool": f"{config.project}.svc.id.goog"},
            release_channel={"channel": config.release_channel.upper()},
            enable_shielded_nodes=True,
            security_posture_config={"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
            logging_config={"enable_components": list(_LOGS)},
            monitoring_config={
                "enable_components": ["SYSTEM_COMPONENTS"],
                "managed_prometheus": {"enabled": True},
            },
            # Node pools come apart; the one that a cluster begins with is taken away at once.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={"service_account": self.node_account_email, "machine_type": config.system_machine_type},
            deletion_protection=args.retain,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self._account_role], ignore_changes=["nodeConfig", "initialNodeCount"]
            ),
        )

    def _describe(self, cluster: gcp.container.Cluster) -> None:
        config = self._args.config
        self.cluster_name = cluster.name
        name = fit(self._args.name, limit=CLUSTER_LIMIT)
        # Whose tokens the cluster's service accounts have: the address follows from the names (GKE guide).
        where = f"projects/{config.project}/locations/{config.region}/clusters/{name}"
        self.issuer_url = f"https://container.googleapis.com/v1/{where}"
        self.endpoint_url = cluster.control_plane_endpoints_config.apply(
            lambda endpoints: f"https://{_dns_endpoint(endpoints)}"
        )
        self.kubeconfig = pulumi.Output.all(cluster.name, self.endpoint_url).apply(
            lambda known: kubeconfig(known[0], known[1])
        )

    def _create_registry(self) -> gcp.artifactregistry.Repository:
        """Where nodes pull from: their own account signs in, and no secret of another cloud stands in the cluster."""
        args, config = self._args, self._args.config
        repository = gcp.artifactregistry.Repository(
            f"{self._name}-registry",
            repository_id=args.name,
            location=config.region,
            format="DOCKER",
            docker_config={"immutable_tags": True},
            opts=pulumi.ResourceOptions(parent=self, protect=args.retain or None),
        )
        gcp.artifactregistry.RepositoryIamMember(
            f"{self._name}-registry-nodes",
            project=config.project,
            location=config.region,
            repository=repository.name,
            role="roles/artifactregistry.reader",
            member=pulumi.Output.concat("serviceAccount:", self.node_account_email),
            opts=self._child,
        )
        self.repository_url = repository_url(args.name, config)
        self.image = f"{self.repository_url}{args.image}"
        return repository

    def _create_system_pool(self) -> gcp.container.NodePool:
        config = self._args.config
        return gcp.container.NodePool(
            f"{self._name}-system",
            name="system",
            cluster=self.cluster_name,
            location=config.region,
            initial_node_count=1,
            autoscaling={"total_min_node_count": 1, "total_max_node_count": config.system_nodes},
            management={"auto_repair": True, "auto_upgrade": True},
            node_config={
                "machine_type": config.system_machine_type,
                "service_account": self.node_account_email,
                "oauth_scopes": [SCOPE],
                "shielded_instance_config": SHIELDED,
                "workload_metadata_config": {"mode": "GKE_METADATA"},
            },
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["initialNodeCount"]),
        )


def repository_url(name: str, config: TpuConfig) -> str:
    """The workload's repository; ``name``: the cluster's."""
    return f"{config.region}-docker.pkg.dev/{config.project}/{name}/{IMAGE}"


def _dns_endpoint(endpoints: gcp.container.outputs.ClusterControlPlaneEndpointsConfig) -> str:
    config = endpoints.dns_endpoint_config
    return (config.endpoint if config else None) or ""


def kubeconfig(name: str, endpoint_url: str) -> str:
    """A kubeconfig that signs in when used; the endpoint's certificate is one that everybody trusts."""
    sign_in = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": "gcloud components install gke-gcloud-auth-plugin",
        "provideClusterInfo": True,
        "interactiveMode": "Never",
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": endpoint_url}}],
        "users": [{"name": name, "user": {"exec": sign_in}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(config, sort_keys=True)
