"""What lives in the cluster, in the cluster's own provider."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..device_plugins import DevicePlugins, DevicePluginsArgs
from ..gpu_exporter import GpuExporter, GpuExporterArgs
from ..scheduling import Scheduling, SchedulingArgs
from ..smoke_test import SmokeTest, SmokeTestArgs
from .compute import Compute
from .data import Data
from .foundation import Foundation
from .management import Management
from .site import Site


class Inside:
    """Device plugins, storage classes, teams with their quotas, and last of all the training job."""

    def __init__(
        self, site: Site, foundation: Foundation, compute: Compute, data: Data, management: Management
    ) -> None:
        self._site, self._compute, self._data = site, compute, data
        kubeconfig = compute.cluster.kubeconfig
        self.provider = kubernetes.Provider("kubernetes", kubeconfig=kubeconfig, enable_server_side_apply=True)
        self.plugins = self._create_plugins()
        if site.config.monitoring and site.config.monitoring.gpu_metrics:
            opts = pulumi.ResourceOptions(providers=[self.provider], depends_on=compute.groups)
            GpuExporter("gpu-exporter", GpuExporterArgs(pools=site.config.pools), opts)
        data.file_systems.create_classes(pulumi.ResourceOptions(providers=[self.provider]))
        self.scheduling = self._create_scheduling()
        after = [*compute.groups, self.plugins, data.storage, foundation.network, management.node_configuration]
        self.smoke_test = self._create_smoke_test(foundation.encryption.key_arn, after)

    def _create_plugins(self) -> DevicePlugins:
        args = DevicePluginsArgs(pools=self._site.config.pools)
        opts = pulumi.ResourceOptions(providers=[self.provider], depends_on=self._compute.groups)
        return DevicePlugins("device-plugins", args, opts)

    def _create_scheduling(self) -> Scheduling | None:
        config = self._site.config
        if config.scheduling is None:
            return None
        cidr = str(config.network.cidr)
        args = SchedulingArgs(name=config.name, config=config.scheduling, pools=config.pools, vpc_cidr=cidr)
        return Scheduling("scheduling", args, pulumi.ResourceOptions(providers=[self.provider]))

    def _create_smoke_test(self, key_arn: pulumi.Output[str], after: list[pulumi.Resource]) -> SmokeTest:
        site, storage, registry = self._site, self._data.storage, self._data.registry
        args = SmokeTestArgs(
            name=site.name,
            region=site.region,
            config=site.config.smoke_test,
            pool=site.config.pools[site.config.smoke_test.pool],
            image=registry.image,
            image_digest=registry.image_digest,
            cluster_name=self._compute.cluster.cluster_name,
            checkpoint_bucket_name=storage.checkpoint_bucket_name,
            checkpoint_bucket_arn=storage.checkpoint_bucket_arn,
            key_arn=key_arn,
            vpc_cidr=str(site.config.network.cidr),
        )
        providers = [self.provider, site.provider]
        return SmokeTest("smoke-test", args, pulumi.ResourceOptions(providers=providers, depends_on=after))

    def outputs(self) -> dict[str, Any]:
        """The training job and its verdict, and whose namespaces there are."""
        test = self.smoke_test
        found = {"job": test.job_name, "namespace": test.namespace_name, "verdict": test.verdict}
        return {"smoke_test": found, "teams": self.scheduling.teams if self.scheduling else []}
