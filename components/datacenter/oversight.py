"""What is looked at, and what is written down of who did what."""

from __future__ import annotations

from typing import Any

import pulumi

from ..alarms import Watched
from ..alerts import Alerts
from ..datasets import least_rpo_minutes
from ..guardduty import GuardDuty
from ..settings import TrailConfig
from ..trail import Trail, TrailArgs
from .data import Data
from .foundation import Foundation
from .management import Management
from .recovery_region import RecoveryRegion
from .services import Services
from .site import Site


class Oversight:
    """Alarms, the trail and the detector, where the stack has them."""

    trail: Trail | None = None

    def __init__(
        self,
        site: Site,
        foundation: Foundation,
        services: Services,
        data: Data,
        recovery_region: RecoveryRegion,
        management: Management,
    ) -> None:
        self._site, self._foundation, self._services = site, foundation, services
        self._data, self._recovery_region, self._management = data, recovery_region, management
        security = site.config.security
        if security and security.guardduty:
            GuardDuty("guardduty", security.guardduty, site.opts)
        if security and security.trail:
            self.trail = self._create_trail(security.trail)
        self.alerts: Alerts | None = foundation.alerts
        if self.alerts:
            self.alerts.watch(self._watched())

    def _create_trail(self, config: TrailConfig) -> Trail:
        site, storage = self._site, self._data.storage
        args = TrailArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            key_arn=self._foundation.encryption.key_arn,
            bucket_arns=[storage.data_bucket_arn, storage.checkpoint_bucket_arn],
            retain=site.config.retain_data,
        )
        return Trail("trail", args, site.opts)

    def _watched(self) -> Watched[pulumi.Input[str]]:
        config, systems, monitoring = self._site.config, self._data.file_systems, self._management.monitoring
        balancer = self._services.load_balancer
        return Watched(
            nat_gateways=self._foundation.network.nat_gateway_ids,
            lustre={name: one.file_system_id for name, one in systems.lustre.items()},
            lustre_gib={name: one.capacity_gib for name, one in config.lustre.items()},
            efs={name: one.file_system_id for name, one in systems.efs.items()},
            bursting=[name for name, one in config.efs.items() if one.throughput == "bursting"],
            balancer=(config.load_balancer.kind, balancer.load_balancer_arn, balancer.target_group_arn)
            if config.load_balancer and balancer
            else None,
            server=monitoring.instance_id if monitoring else None,
            replicas=self._replicas(),
            replica_region=config.recovery.region if config.recovery else None,
            rpo_minutes=least_rpo_minutes("s3", config),
        )

    def _replicas(self) -> dict[str, tuple[pulumi.Output[str], pulumi.Output[str]]]:
        copies, originals = self._recovery_region.buckets, self._data.storage.bucket_names
        return {kind: (originals[kind], replica) for kind, replica in copies.bucket_names.items()} if copies else {}

    def outputs(self) -> dict[str, Any]:
        """``alerts`` and ``trail``, where there are any."""
        outputs: dict[str, Any] = {}
        if self.alerts:
            outputs["alerts"] = {
                "topic_arn": self.alerts.topic_arn,
                "recovery_topic_arn": self.alerts.recovery_topic_arn,
                "dashboard_name": self.alerts.dashboard_name,
            }
        if self.trail:
            outputs["trail"] = {"arn": self.trail.trail_arn, "bucket_name": self.trail.bucket_name}
        return outputs
