"""What computes: the cluster, its node pools, and what Karpenter needs for more of them."""

from __future__ import annotations

from typing import Any

import pulumi

from ..cluster import Cluster, ClusterArgs
from ..karpenter import NAMESPACE, NODES, SERVICE_ACCOUNT, Karpenter, KarpenterArgs
from ..node_pool import NodePool, NodePoolArgs
from ..settings import KarpenterConfig, PoolConfig
from .foundation import Foundation
from .site import Site


class Compute:
    """The cluster and its pools. ``groups``: what has nodes, to wait for."""

    karpenter: Karpenter | None = None

    def __init__(self, site: Site, foundation: Foundation) -> None:
        self._site, self._network, self._keys = site, foundation.network, foundation.encryption
        self.cluster = self._create_cluster()
        self.pools = {name: self._create_pool(name, pool) for name, pool in site.config.pools.items()}
        self.groups: list[pulumi.Resource] = [pool.node_group for pool in self.pools.values()]
        self.cluster.add_node_addons(after=self.groups)
        if site.config.karpenter:
            self.karpenter = self._create_karpenter(site.config.karpenter)

    def _create_cluster(self) -> Cluster:
        site = self._site
        args = ClusterArgs(
            name=site.name,
            region=site.region,
            config=site.config.cluster,
            subnet_ids=self._network.private_subnet_ids,
            key_arn=self._keys.key_arn,
        )
        return Cluster("cluster", args, site.opts)

    def _create_pool(self, name: str, pool: PoolConfig) -> NodePool:
        site, network, zones = self._site, self._network, self._site.config.network.zones
        subnets = network.accelerator_subnet_ids if pool.instance.chips else network.private_subnet_ids
        args = NodePoolArgs(
            name=site.name,
            pool=name,
            region=site.region,
            config=pool,
            kubernetes_version=site.config.cluster.version,
            cluster_name=self.cluster.cluster_name,
            cluster_security_group_id=self.cluster.security_group_id,
            vpc_id=network.vpc_id,
            subnet_ids=[subnets[zones.index(pool.zone)]] if zones and pool.zone else subnets,
            key_arn=self._keys.key_arn,
            tags=site.tags,
        )
        return NodePool(f"pool-{name}", args, site.opts)

    def _create_karpenter(self, config: KarpenterConfig) -> Karpenter:
        """Its nodes are in the private subnets: accelerator subnets have room for what the section pools says."""
        site = self._site
        args = KarpenterArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            cluster_name=self.cluster.cluster_name,
            subnet_ids=self._network.private_subnet_ids,
            security_group_id=self.cluster.security_group_id,
            key_arn=self._keys.key_arn,
        )
        return Karpenter("karpenter", args, site.opts)

    @property
    def node_role_names(self) -> dict[str, pulumi.Output[str]]:
        """The roles of all nodes: by pool, and of those that Karpenter makes."""
        found = {name: pool.node_role_name for name, pool in self.pools.items()}
        return found | ({NODES: self.karpenter.node_role_name} if self.karpenter else {})

    def outputs(self) -> dict[str, Any]:
        """The cluster, how it is reached, and its pools."""
        cluster = {
            "name": self.cluster.cluster_name,
            "endpoint": self.cluster.endpoint_url,
            "arn": self.cluster.cluster_arn,
            "version": self._site.config.cluster.version,
            "oidc_issuer": self.cluster.oidc_issuer_url,
        }
        pools = [_pool_outputs(name, pool) for name, pool in self._site.config.pools.items()]
        found = {"cluster": cluster, "kubeconfig": self.cluster.kubeconfig, "pools": pools}
        return found | self._karpenter_outputs()

    def _karpenter_outputs(self) -> dict[str, Any]:
        config, karpenter = self._site.config.karpenter, self.karpenter
        if config is None or karpenter is None:
            return {}
        outputs = {
            "installed": config.installed,
            "namespace": NAMESPACE,
            "service_account": SERVICE_ACCOUNT,
            "queue_name": karpenter.queue_name,
            "controller_role_arn": karpenter.controller_role_arn,
            "node_role_arn": karpenter.node_role_arn,
            "pools": list(config.pools),
        }
        return {"karpenter": outputs}


def _pool_outputs(name: str, pool: PoolConfig) -> dict[str, Any]:
    chip = pool.instance.chip
    return {
        "name": name,
        "instance_type": pool.instance_type,
        "nodes": pool.desired_size,
        "accelerator": chip.name if chip else None,
        "settings": pool.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }
