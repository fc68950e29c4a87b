"""TPU slices in Google Cloud: a cluster of their own, and the training job on them; imported for stacks with them."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from ..gke import Gke, GkeArgs
from ..gke_network import GkeNetwork, GkeNetworkArgs
from ..naming import NAME_TAG
from ..node_verification import NodeVerification, NodeVerificationArgs
from ..settings import PROJECT, TpuConfig, TpuPoolConfig
from ..tpu_pool import TpuPool, TpuPoolArgs
from ..tpu_smoke_test import TpuSmokeTest, TpuSmokeTestArgs
from ..tpu_verification import of_tpu_pools
from .data import Data
from .foundation import Foundation
from .site import Site
from .verdicts import tpu_image_reference


class Tpu:
    """Network, cluster, pools of slices, and last the training job on each slice of one."""

    def __init__(self, site: Site, config: TpuConfig, foundation: Foundation, data: Data) -> None:
        self._site, self._config = site, config
        self._opts = pulumi.ResourceOptions(provider=self._create_provider())
        network_args = GkeNetworkArgs(name=site.name, config=config)
        self.network = GkeNetwork("gke-network", network_args, self._opts)
        self.cluster = self._create_cluster()
        self.pools = {name: self._create_pool(name, pool) for name, pool in config.pools.items()}
        self._inside: kubernetes.Provider | None = None
        verification = self._create_verification()
        self.smoke_test = self._create_smoke_test(foundation, data, verification)

    def _create_provider(self) -> gcp.Provider:
        site = self._site
        # Labels take less than tags: no colon, no capital, no dot.
        stack = re.sub(r"[^a-z0-9_-]", "-", site.stack.lower())[:63]
        labels = {NAME_TAG.replace(":", "-"): site.name, f"{PROJECT}-stack": stack}
        return gcp.Provider("gcp", project=self._config.project, region=self._config.region, default_labels=labels)

    def _create_cluster(self) -> Gke:
        args = GkeArgs(
            name=self._site.name,
            config=self._config,
            network_id=self.network.network_id,
            subnet_id=self.network.subnet_id,
            image=tpu_image_reference(self._site, self._config),
            retain=self._site.config.retain_data,
        )
        after = pulumi.ResourceOptions(depends_on=[self.network])
        return Gke("gke", args, pulumi.ResourceOptions.merge(self._opts, after))

    def _create_pool(self, name: str, pool: TpuPoolConfig) -> TpuPool:
        args = TpuPoolArgs(
            name=self._site.name,
            pool=name,
            region=self._config.region,
            config=pool,
            cluster_name=self.cluster.cluster_name,
            node_account_email=self.cluster.node_account_email,
        )
        after = pulumi.ResourceOptions(depends_on=[self.cluster.registry])
        return TpuPool(f"tpu-pool-{name}", args, pulumi.ResourceOptions.merge(self._opts, after))

    def _provider_inside(self) -> kubernetes.Provider:
        """Only where something is declared inside the cluster."""
        if self._inside is None:
            kubeconfig = self.cluster.kubeconfig
            self._inside = kubernetes.Provider("gke", kubeconfig=kubeconfig, enable_server_side_apply=True)
        return self._inside

    def _create_verification(self) -> list[pulumi.Resource]:
        nodes = of_tpu_pools(self._config.pools)
        if not nodes:
            return []
        args = NodeVerificationArgs(
            nodes=nodes,
            image=self.cluster.image,
            vpc_cidr=str(self._config.nodes_cidr),
            service_cidr=str(self._config.services_cidr),
        )
        opts = pulumi.ResourceOptions(providers=[self._provider_inside()], depends_on=[self.cluster])
        return [NodeVerification("tpu-node-verification", args, opts)]

    def _create_smoke_test(
        self, foundation: Foundation, data: Data, verification: list[pulumi.Resource]
    ) -> TpuSmokeTest | None:
        config, site = self._config, self._site
        test = config.smoke_test
        if test is None:
            return None
        args = TpuSmokeTestArgs(
            name=site.name,
            region=site.region,
            config=test,
            pool=config.pools[test.pool],
            image=self.cluster.image,
            issuer_url=self.cluster.issuer_url,
            checkpoint_bucket_name=data.storage.checkpoint_bucket_name,
            checkpoint_bucket_arn=data.storage.checkpoint_bucket_arn,
            verdict_bucket_name=data.storage.data_bucket_name,
            verdict_bucket_arn=data.storage.data_bucket_arn,
            key_arn=foundation.encryption.key_arn,
            own_cidrs=tuple(str(cidr) for cidr in (config.nodes_cidr, config.pods_cidr, config.services_cidr)),
        )
        after = [self.cluster, self.pools[test.pool], data.storage, *verification]
        opts = pulumi.ResourceOptions(providers=[self._provider_inside(), site.provider], depends_on=after)
        return TpuSmokeTest("tpu-smoke-test", args, opts)

    def outputs(self) -> dict[str, Any]:
        """The cluster, its pools, and what the job said of each slice."""
        test = self.smoke_test
        tpu = {
            "project": self._config.project,
            "region": self._config.region,
            "cluster": {"name": self.cluster.cluster_name, "endpoint": self.cluster.endpoint_url},
            "kubeconfig": self.cluster.kubeconfig,
            "image": self.cluster.image,
            "pools": [_pool_outputs(name, pool) for name, pool in self._config.pools.items()],
            "smoke_tests": [
                {"job": job, "verdict": verdict} for job, verdict in zip(test.job_names, test.verdicts, strict=True)
            ]
            if test
            else [],
        }
        return {"tpu": tpu}


def _pool_outputs(name: str, pool: TpuPoolConfig) -> dict[str, Any]:
    chip = pool.machine.chip
    return {
        "name": name,
        "machine_type": pool.machine_type,
        "topology": pool.topology,
        "slices": pool.slices,
        "nodes": pool.hosts,
        "accelerator": chip.name if chip else None,
    }
