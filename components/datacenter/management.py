"""What looks after the nodes: their configuration, and what watches them."""

from __future__ import annotations

from typing import Any

from .. import smoke_test_pod
from ..gpu_exporter import gpu_types
from ..monitoring import Monitoring, MonitoringArgs, VerdictSource
from ..node_configuration import NodeConfiguration, NodeConfigurationArgs
from ..settings import MonitoringConfig
from .compute import Compute
from .data import Data
from .foundation import Foundation
from .site import Site
from .verdicts import verdict_keys


class Management:
    """The playbooks' association, and the machine with Prometheus where the stack has one."""

    monitoring: Monitoring | None = None

    def __init__(self, site: Site, foundation: Foundation, compute: Compute, data: Data) -> None:
        self._site, self._foundation, self._compute, self._storage = site, foundation, compute, data.storage
        self._image_digest = data.registry.image_digest
        self.node_configuration = self._create_node_configuration()
        if site.config.monitoring:
            self.monitoring = self._create_monitoring(site.config.monitoring)

    def _create_node_configuration(self) -> NodeConfiguration:
        site = self._site
        args = NodeConfigurationArgs(
            name=site.name,
            region=site.region,
            playbooks=site.playbooks,
            bucket_name=self._storage.data_bucket_name,
            bucket_arn=self._storage.data_bucket_arn,
            key_arn=self._foundation.encryption.key_arn,
            node_role_names=self._compute.node_role_names,
        )
        return NodeConfiguration("node-configuration", args, site.after(*self._compute.groups, self._storage))

    def _create_monitoring(self, config: MonitoringConfig) -> Monitoring:
        site, network = self._site, self._foundation.network
        gpus = gpu_types(site.config.pools, site.config.karpenter) if config.gpu_metrics else ()
        args = MonitoringArgs(
            name=site.name,
            region=site.region,
            config=config,
            vpc_id=network.vpc_id,
            vpc_cidr=str(site.config.network.cidr),
            subnet_id=network.private_subnet_ids[0],
            cluster_security_group_id=self._compute.cluster.security_group_id,
            bucket_arn=self._storage.data_bucket_arn,
            key_arn=self._foundation.encryption.key_arn,
            archive=self.node_configuration.source,
            gpu_types=gpus,
            verdicts=self._verdicts(),
        )
        # After the nodes' own configuration: the smoke test waits for that one, and not for this.
        return Monitoring("monitoring", args, site.after(self.node_configuration))

    def _verdicts(self) -> VerdictSource:
        return VerdictSource(
            bucket_name=self._storage.data_bucket_name,
            bucket_arn=self._storage.data_bucket_arn,
            prefix=smoke_test_pod.PREFIX,
            keys=verdict_keys(self._site, self._image_digest),
        )

    def outputs(self) -> dict[str, Any]:
        """``monitoring``: None where nothing watches."""
        found = self.monitoring
        return {"monitoring": {"instance_id": found.instance_id, "url": found.url} if found else None}
