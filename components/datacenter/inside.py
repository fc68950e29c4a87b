"""What lives in the cluster, in the cluster's own provider."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..device_plugins import DevicePlugins, DevicePluginsArgs
from ..etl_job import EtlJob, EtlJobArgs
from ..gpu_exporter import GpuExporter, GpuExporterArgs
from ..karpenter import Karpenter
from ..karpenter_pools import KarpenterPools, KarpenterPoolsArgs
from ..node_verification import NodeVerification, NodeVerificationArgs
from ..scheduling import Scheduling, SchedulingArgs
from ..settings import DataPipelineConfig, EtlJobConfig, KarpenterConfig
from ..smoke_test import SmokeTest, SmokeTestArgs
from ..verified_nodes import of_karpenter, of_node_groups
from .compute import Compute
from .data import Data
from .foundation import Foundation
from .management import Management
from .site import Site


class Inside:
    """Device plugins, checks of new nodes, storage classes, teams, what makes training data; last the training job."""

    etl: EtlJob | None = None

    def __init__(
        self, site: Site, foundation: Foundation, compute: Compute, data: Data, management: Management
    ) -> None:
        self._site, self._compute, self._data = site, compute, data
        kubeconfig = compute.cluster.kubeconfig
        self.provider = kubernetes.Provider("kubernetes", kubeconfig=kubeconfig, enable_server_side_apply=True)
        self.plugins = self._create_plugins()
        verification = self._create_verification()
        if site.config.monitoring and site.config.monitoring.gpu_metrics:
            opts = pulumi.ResourceOptions(providers=[self.provider], depends_on=compute.groups)
            GpuExporter("gpu-exporter", GpuExporterArgs(pools=site.config.pools, karpenter=site.config.karpenter), opts)
        data.file_systems.create_classes(pulumi.ResourceOptions(providers=[self.provider]))
        self.scheduling = self._create_scheduling()
        karpenter = site.config.karpenter
        if karpenter and karpenter.installed and compute.karpenter:
            self._create_karpenter_pools(karpenter, compute.karpenter, foundation)
        pipeline = site.config.data_pipeline
        if pipeline and pipeline.etl:
            self.etl = self._create_etl(pipeline, pipeline.etl, foundation.encryption.key_arn)
        after = [*compute.groups, self.plugins, data.storage, foundation.network, management.node_configuration]
        after += verification
        self.smoke_test = self._create_smoke_test(foundation.encryption.key_arn, after)

    def _create_plugins(self) -> DevicePlugins:
        args = DevicePluginsArgs(pools=self._site.config.pools, karpenter=self._site.config.karpenter)
        opts = pulumi.ResourceOptions(providers=[self.provider], depends_on=self._compute.groups)
        return DevicePlugins("device-plugins", args, opts)

    def _create_verification(self) -> list[pulumi.Resource]:
        """Not after the node groups: what EKS installs on nodes waits for them to take pods, and they for this."""
        config = self._site.config
        nodes = {**of_node_groups(config.pools), **of_karpenter(config.karpenter)}
        if not nodes:
            return []
        args = NodeVerificationArgs(
            nodes=nodes,
            image=self._data.registry.image,
            vpc_cidr=str(config.network.cidr),
            service_cidr=str(config.cluster.service_cidr),
        )
        opts = pulumi.ResourceOptions(providers=[self.provider])
        return [NodeVerification("node-verification", args, opts)]

    def _create_scheduling(self) -> Scheduling | None:
        config = self._site.config
        if config.scheduling is None:
            return None
        cidr = str(config.network.cidr)
        args = SchedulingArgs(name=config.name, config=config.scheduling, pools=config.pools, vpc_cidr=cidr)
        return Scheduling("scheduling", args, pulumi.ResourceOptions(providers=[self.provider]))

    def _create_karpenter_pools(self, config: KarpenterConfig, karpenter: Karpenter, foundation: Foundation) -> None:
        """After all that its nodes and its controller stand on, so that they go while these are still there."""
        site = self._site
        args = KarpenterPoolsArgs(
            name=site.name,
            config=config,
            kubernetes_version=site.config.cluster.version,
            instance_profile_name=karpenter.instance_profile_name,
            subnet_ids=foundation.network.private_subnet_ids,
            security_group_id=self._compute.cluster.security_group_id,
            key_arn=foundation.encryption.key_arn,
            tags=site.tags,
        )
        after = [*self._compute.groups, karpenter, foundation.network]
        KarpenterPools("karpenter-pools", args, pulumi.ResourceOptions(providers=[self.provider], depends_on=after))

    def _create_etl(self, pipeline: DataPipelineConfig, etl: EtlJobConfig, key_arn: pulumi.Output[str]) -> EtlJob:
        site, data = self._site, self._data
        args = EtlJobArgs(
            name=site.name,
            region=site.region,
            config=etl,
            catalogue=pipeline.catalogue,
            pool=site.config.pools[etl.pool],
            image=data.registry.image,
            cluster_name=self._compute.cluster.cluster_name,
            vpc_cidr=str(site.config.network.cidr),
            bucket_name=data.storage.data_bucket_name,
            bucket_arn=data.storage.data_bucket_arn,
            key_arn=key_arn,
        )
        after = [*self._compute.groups, data.storage]
        opts = pulumi.ResourceOptions(providers=[self.provider, site.provider], depends_on=after)
        return EtlJob("etl", args, opts)

    def _create_smoke_test(self, key_arn: pulumi.Output[str], after: list[pulumi.Resource]) -> SmokeTest:
        site, storage, registry = self._site, self._data.storage, self._data.registry
        args = SmokeTestArgs(
            name=site.name,
            region=site.region,
            config=site.config.smoke_test,
            pool=site.config.pools[site.config.smoke_test.pool],
            image=registry.image,
            image_digest=registry.image_digest,
            kubernetes_version=site.config.cluster.version,
            cluster_name=self._compute.cluster.cluster_name,
            checkpoint_bucket_name=storage.checkpoint_bucket_name,
            checkpoint_bucket_arn=storage.checkpoint_bucket_arn,
            verdict_bucket_name=storage.data_bucket_name,
            verdict_bucket_arn=storage.data_bucket_arn,
            key_arn=key_arn,
            vpc_cidr=str(site.config.network.cidr),
        )
        providers: list[pulumi.ProviderResource] = [self.provider, site.provider]
        return SmokeTest("smoke-test", args, pulumi.ResourceOptions(providers=providers, depends_on=after))

    def outputs(self) -> dict[str, Any]:
        """The training job and its verdict, whose namespaces there are, and ``data_pipeline`` where there is one."""
        test = self.smoke_test
        found = {"job": test.job_name, "namespace": test.namespace_name, "verdict": test.verdict}
        teams = self.scheduling.teams if self.scheduling else []
        return {"smoke_test": found, "teams": teams, **self._data_pipeline_outputs()}

    def _data_pipeline_outputs(self) -> dict[str, Any]:
        """In one place, and the job is inside the cluster."""
        pipeline, config = self._data.data_pipeline, self._site.config.data_pipeline
        if pipeline is None or config is None:
            return {}
        etl = self.etl and {
            "cron_job": self.etl.cron_job_name,
            "namespace": self.etl.namespace_name,
            "output_url": self.etl.output_url,
            "dataset": config.etl.dataset if config.etl else None,
        }
        return {"data_pipeline": {**pipeline.outputs(), "etl": etl}}
