"""Who is told of what, and what is written down of who did what."""

from __future__ import annotations

from typing import Any

from ..alerts import Alerts, AlertsArgs, BalancerArgs
from ..guardduty import GuardDuty
from ..settings import AlertsConfig, TrailConfig
from ..trail import Trail, TrailArgs
from .data import Data
from .foundation import Foundation
from .management import Management
from .services import Services
from .site import Site


class Oversight:
    """Alerts, the trail and the detector, where the stack has them."""

    alerts: Alerts | None = None
    trail: Trail | None = None

    def __init__(
        self, site: Site, foundation: Foundation, services: Services, data: Data, management: Management
    ) -> None:
        self._site, self._foundation = site, foundation
        self._services, self._data, self._management = services, data, management
        security = site.config.security
        if security and security.guardduty:
            GuardDuty("guardduty", security.guardduty, site.opts)
        if security and security.trail:
            self.trail = self._create_trail(security.trail)
        if site.config.alerts:
            self.alerts = self._create_alerts(site.config.alerts)

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

    def _create_alerts(self, config: AlertsConfig) -> Alerts:
        site, monitoring = self._site, self._management.monitoring
        systems = self._data.file_systems
        args = AlertsArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            key_arn=self._foundation.encryption.key_arn,
            nat_gateway_ids=self._foundation.network.nat_gateway_ids,
            lustre_ids={name: one.file_system_id for name, one in systems.lustre.items()},
            lustre_gib={name: one.capacity_gib for name, one in site.config.lustre.items()},
            efs_ids={name: one.file_system_id for name, one in systems.efs.items()},
            bursting_efs=[name for name, one in site.config.efs.items() if one.throughput == "bursting"],
            balancer=self._balancer(),
            server_id=monitoring.instance_id if monitoring else None,
            findings=bool(site.config.security and site.config.security.guardduty),
        )
        return Alerts("alerts", args, site.opts)

    def _balancer(self) -> BalancerArgs | None:
        config, balancer = self._site.config.load_balancer, self._services.load_balancer
        if config is None or balancer is None:
            return None
        arns = {"load_balancer_arn": balancer.load_balancer_arn, "target_group_arn": balancer.target_group_arn}
        return BalancerArgs(kind=config.kind, **arns)

    def outputs(self) -> dict[str, Any]:
        """``alerts`` and ``trail``, where there are any."""
        outputs: dict[str, Any] = {}
        if self.alerts:
            outputs["alerts"] = {"topic_arn": self.alerts.topic_arn, "dashboard_name": self.alerts.dashboard_name}
        if self.trail:
            outputs["trail"] = {"arn": self.trail.trail_arn, "bucket_name": self.trail.bucket_name}
        return outputs
