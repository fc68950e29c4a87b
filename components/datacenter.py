"""The data centre: its components in order, and what they tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from .cluster import Cluster, ClusterArgs
from .datasets import dataset_outputs, dataset_tags, datasets_in
from .device_plugins import DevicePlugins, DevicePluginsArgs
from .encryption import Encryption, EncryptionArgs
from .file_systems import FileSystems, FileSystemsArgs
from .load_balancer import LoadBalancer, LoadBalancerArgs
from .load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs
from .monitoring import Monitoring, MonitoringArgs
from .naming import default_tags
from .network import Network, NetworkArgs
from .node_configuration import NodeConfiguration, NodeConfigurationArgs
from .node_pool import NodePool, NodePoolArgs
from .recovery import Recovery, RecoveryArgs
from .registry import Registry, RegistryArgs
from .settings import PoolConfig, StackConfig
from .smoke_test import SmokeTest, SmokeTestArgs
from .storage import Storage, StorageArgs


def aws_provider(config: StackConfig, stack: str, name: str = "aws", region: str | None = None) -> aws.Provider:
    """AWS as the stack file has it: the region, the accounts that may be touched, and tags on everything.

    ``region``: another one than the stack's.
    """
    return aws.Provider(
        name,
        region=region or config.aws.region,
        allowed_account_ids=list(config.aws.allowed_account_ids),
        profile=config.aws.profile,
        default_tags={"tags": default_tags(config, stack)},
    )


class Datacenter:
    """Builds the components in order. No resource of its own: the components are the stack's first level."""

    def __init__(
        self, config: StackConfig, stack: str, provider: aws.Provider, *, workloads: Path, playbooks: Path
    ) -> None:
        self._config, self._stack = config, stack
        self._workloads, self._playbooks = workloads, playbooks
        self._opts = pulumi.ResourceOptions(provider=provider)
        invoke = pulumi.InvokeOutputOptions(provider=provider)
        self._account_id = aws.get_caller_identity_output(opts=invoke).account_id
        self._found_zones = (
            None if config.network.zones else aws.get_availability_zones_output(state="available", opts=invoke).names
        )
        self.encryption = self._create_encryption()
        self.network = self._create_network()
        self.recovery = self._create_recovery()
        self.cluster = self._create_cluster()
        self.pools = {name: self._create_pool(name, pool) for name, pool in config.pools.items()}
        groups: list[pulumi.Resource] = [pool.node_group for pool in self.pools.values()]
        self.cluster.add_node_addons(after=groups)
        self.load_balancer = self._create_load_balancer()
        self.storage = self._create_storage()
        self.file_systems = self._create_file_systems(groups)
        self.node_configuration = self._create_node_configuration(groups)
        self.monitoring = self._create_monitoring()
        self.registry = self._create_registry()
        self._create_inside(groups)

    def _create_encryption(self) -> Encryption:
        args = EncryptionArgs(
            name=self._config.name,
            region=self._config.aws.region,
            account_id=self._account_id,
            retain=self._config.retain_data,
            lustre_links=any(system.link for system in self._config.lustre.values()),
        )
        return Encryption("encryption", args, self._opts)

    def _create_network(self) -> Network:
        args = NetworkArgs(
            name=self._config.name,
            region=self._config.aws.region,
            account_id=self._account_id,
            zone_names=self._found_zones or list(self._config.network.zones or ()),
            config=self._config.network,
            key_arn=self.encryption.key_arn,
        )
        return Network("network", args, self._opts)

    def _create_recovery(self) -> Recovery | None:
        if not self._config.recovery:
            return None
        provider = aws_provider(self._config, self._stack, "aws-recovery", self._config.recovery.region)
        found = aws.get_availability_zones_output(state="available", opts=pulumi.InvokeOutputOptions(provider=provider))
        args = RecoveryArgs(
            name=self._config.name,
            account_id=self._account_id,
            config=self._config.recovery,
            provider=provider,
            zone_names=found.names,
            primary=self.network,
            primary_config=self._config.network,
        )
        return Recovery("recovery", args, self._opts)

    def _create_cluster(self) -> Cluster:
        args = ClusterArgs(
            name=self._config.name,
            region=self._config.aws.region,
            config=self._config.cluster,
            subnet_ids=self.network.private_subnet_ids,
            key_arn=self.encryption.key_arn,
        )
        return Cluster("cluster", args, self._opts)

    def _create_pool(self, name: str, pool: PoolConfig) -> NodePool:
        zones, network = self._config.network.zones, self.network
        subnets = network.accelerator_subnet_ids if pool.instance.chips else network.private_subnet_ids
        args = NodePoolArgs(
            name=self._config.name,
            pool=name,
            region=self._config.aws.region,
            config=pool,
            kubernetes_version=self._config.cluster.version,
            cluster_name=self.cluster.cluster_name,
            cluster_security_group_id=self.cluster.security_group_id,
            vpc_id=self.network.vpc_id,
            subnet_ids=[subnets[zones.index(pool.zone)]] if zones and pool.zone else subnets,
            key_arn=self.encryption.key_arn,
            tags=default_tags(self._config, self._stack),
        )
        return NodePool(f"pool-{name}", args, self._opts)

    def _create_load_balancer(self) -> LoadBalancer | None:
        if not self._config.load_balancer:
            return None
        args = LoadBalancerArgs(
            name=self._config.name,
            region=self._config.aws.region,
            account_id=self._account_id,
            config=self._config.load_balancer,
            network=self.network,
            vpc_cidr=str(self._config.network.cidr),
            cluster_security_group_id=self.cluster.security_group_id,
            retain=self._config.retain_data,
        )
        balancer = LoadBalancer("load-balancer", args, self._opts)
        controller = LoadBalancerControllerArgs(
            name=self._config.name,
            region=self._config.aws.region,
            cluster_name=self.cluster.cluster_name,
            target_group_arns=[balancer.target_group_arn],
        )
        LoadBalancerController("load-balancer-controller", controller, self._opts)
        return balancer

    def _create_storage(self) -> Storage:
        args = StorageArgs(
            name=self._config.name,
            region=self._config.aws.region,
            account_id=self._account_id,
            config=self._config.storage,
            key_arn=self.encryption.key_arn,
            retain=self._config.retain_data,
            tags={bucket: dataset_tags(datasets_in("s3", bucket, self._config)) for bucket in ("data", "checkpoints")},
        )
        return Storage("storage", args, self._opts)

    def _create_file_systems(self, groups: list[pulumi.Resource]) -> FileSystems:
        args = FileSystemsArgs(
            config=self._config,
            account_id=self._account_id,
            vpc_id=self.network.vpc_id,
            subnet_ids=self.network.storage_subnet_ids,
            fabric_subnet_ids=self.network.accelerator_subnet_ids,
            cluster_name=self.cluster.cluster_name,
            nodes_security_group_id=self.cluster.security_group_id,
            fabric_group_ids={name: group for name, pool in self.pools.items() for group in pool.fabric_group_ids},
            bucket_names=self.storage.bucket_names,
            key_arn=self.encryption.key_arn,
            after=groups,
        )
        return FileSystems(args, self._opts)

    def _create_node_configuration(self, groups: list[pulumi.Resource]) -> NodeConfiguration:
        args = NodeConfigurationArgs(
            name=self._config.name,
            region=self._config.aws.region,
            playbooks=self._playbooks,
            bucket_name=self.storage.data_bucket_name,
            bucket_arn=self.storage.data_bucket_arn,
            key_arn=self.encryption.key_arn,
            node_role_names={name: pool.node_role_name for name, pool in self.pools.items()},
        )
        after = pulumi.ResourceOptions(depends_on=[*groups, self.storage])
        return NodeConfiguration("node-configuration", args, pulumi.ResourceOptions.merge(self._opts, after))

    def _create_monitoring(self) -> Monitoring | None:
        if self._config.monitoring is None:
            return None
        args = MonitoringArgs(
            name=self._config.name,
            region=self._config.aws.region,
            config=self._config.monitoring,
            vpc_id=self.network.vpc_id,
            vpc_cidr=str(self._config.network.cidr),
            subnet_id=self.network.private_subnet_ids[0],
            cluster_security_group_id=self.cluster.security_group_id,
            bucket_arn=self.storage.data_bucket_arn,
            key_arn=self.encryption.key_arn,
            archive=self.node_configuration.source,
        )
        # After the nodes' own configuration: the smoke test waits for that one, and not for this.
        after = pulumi.ResourceOptions(depends_on=[self.node_configuration])
        return Monitoring("monitoring", args, pulumi.ResourceOptions.merge(self._opts, after))

    def _create_registry(self) -> Registry:
        args = RegistryArgs(
            name=self._config.name,
            config=self._config.registry,
            workloads=self._workloads,
            key_arn=self.encryption.key_arn,
            retain=self._config.retain_data,
        )
        return Registry("registry", args, self._opts)

    def _create_inside(self, groups: list[pulumi.Resource]) -> None:
        """What lives in the cluster, in the cluster's own provider."""
        provider = kubernetes.Provider("kubernetes", kubeconfig=self.cluster.kubeconfig, enable_server_side_apply=True)
        self.plugins = DevicePlugins(
            "device-plugins",
            DevicePluginsArgs(pools=self._config.pools),
            pulumi.ResourceOptions(providers=[provider], depends_on=groups),
        )
        self.file_systems.create_classes(pulumi.ResourceOptions(providers=[provider]))
        test = self._config.smoke_test
        args = SmokeTestArgs(
            name=self._config.name,
            region=self._config.aws.region,
            config=test,
            pool=self._config.pools[test.pool],
            image=self.registry.image,
            image_digest=self.registry.image_digest,
            cluster_name=self.cluster.cluster_name,
            checkpoint_bucket_name=self.storage.checkpoint_bucket_name,
            checkpoint_bucket_arn=self.storage.checkpoint_bucket_arn,
            key_arn=self.encryption.key_arn,
        )
        after = [*groups, self.plugins, self.storage, self.network, self.node_configuration]
        providers: list[pulumi.ProviderResource] = [provider, *([self._opts.provider] if self._opts.provider else [])]
        self.smoke_test = SmokeTest("smoke-test", args, pulumi.ResourceOptions(providers=providers, depends_on=after))

    def outputs(self) -> dict[str, Any]:
        """The fields of :class:`components.outputs.DatacenterOutputs`, as outputs."""
        return {
            "name": self._config.name,
            "region": self._config.aws.region,
            "account_id": self._account_id,
            "vpc_id": self.network.vpc_id,
            "cluster": {
                "name": self.cluster.cluster_name,
                "endpoint": self.cluster.endpoint_url,
                "arn": self.cluster.cluster_arn,
                "version": self._config.cluster.version,
                "oidc_issuer": self.cluster.oidc_issuer_url,
            },
            "kubeconfig": self.cluster.kubeconfig,
            "pools": [_pool_outputs(name, pool) for name, pool in self._config.pools.items()],
            "buckets": self.storage.bucket_names,
            "file_systems": self.file_systems.outputs(),
            "datasets": dataset_outputs(self._config, self.file_systems.places()),
            "registry": {"repository_url": self.registry.repository_url, "image": self.registry.image},
            "smoke_test": {
                "job": self.smoke_test.job_name,
                "namespace": self.smoke_test.namespace_name,
                "verdict": self.smoke_test.verdict,
            },
            "monitoring": {"instance_id": self.monitoring.instance_id, "url": self.monitoring.url}
            if self.monitoring
            else None,
            **self._optional_outputs(),
        }

    def _optional_outputs(self) -> dict[str, Any]:
        """Those of parts that a stack may do without."""
        optional: dict[str, Any] = {}
        if self.recovery and self._config.recovery:
            optional["recovery"] = {
                "region": self._config.recovery.region,
                "vpc_id": self.recovery.vpc_id,
                "peering_connection_id": self.recovery.peering_connection_id,
            }
        if self.load_balancer and self._config.load_balancer:
            optional["load_balancer"] = {
                "dns_name": self.load_balancer.dns_name,
                "domain_name": self._config.load_balancer.domain_name,
                "listener_arn": self.load_balancer.listener_arn,
                "target_group_arn": self.load_balancer.target_group_arn,
            }
        return optional


def _pool_outputs(name: str, pool: PoolConfig) -> dict[str, Any]:
    chip = pool.instance.chip
    return {
        "name": name,
        "instance_type": pool.instance_type,
        "nodes": pool.desired_size,
        "accelerator": chip.name if chip else None,
    }
