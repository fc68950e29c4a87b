"""What everything else stands on: keys, who is told, the network, and the recovery region's network."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from ..alert_topic import PUBLISHERS
from ..alerts import Alerts, AlertsArgs, RecoveryTopicArgs
from ..encryption import Encryption, EncryptionArgs, ReplicaArgs
from ..network import Network, NetworkArgs
from ..recovery import Recovery, RecoveryArgs
from ..rules.alerts import tells_from_recovery
from ..settings import AlertsConfig
from .site import Site


class Foundation:
    """Keys, the topic of alerts where the stack has any, and networks."""

    alerts: Alerts | None = None

    def __init__(self, site: Site) -> None:
        self._site = site
        self._is_told_there = tells_from_recovery(site.config)
        self.encryption = self._create_encryption()
        if site.config.alerts:
            self.alerts = self._create_alerts(site.config.alerts)
        self.network = self._create_network()
        self.recovery = self._create_recovery()

    def _create_encryption(self) -> Encryption:
        site = self._site
        args = EncryptionArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            retain=site.config.retain_data,
            lustre_links=any(system.link for system in site.config.lustre.values()),
            replica=self._replica(),
            trail=bool(site.config.security and site.config.security.trail),
            publishers=PUBLISHERS if site.config.alerts else (),
        )
        return Encryption("encryption", args, site.opts)

    def _replica(self) -> ReplicaArgs | None:
        recovery, provider = self._site.config.recovery, self._site.recovery_provider
        if recovery is None or provider is None:
            return None
        return ReplicaArgs(
            region=recovery.region,
            provider=provider,
            multi_region=recovery.multi_region_key,
            publishers=PUBLISHERS if self._is_told_there else (),
        )

    def _create_alerts(self, config: AlertsConfig) -> Alerts:
        """Before anything that tells; what alarms look at comes later, see :class:`.oversight.Oversight`."""
        site, keys, there = self._site, self.encryption, None
        recovery, provider = site.config.recovery, site.recovery_provider
        if recovery and provider and keys.replica_key_arn and self._is_told_there:
            there = RecoveryTopicArgs(region=recovery.region, provider=provider, key_arn=keys.replica_key_arn)
        args = AlertsArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            key_arn=keys.key_arn,
            recovery=there,
            findings=bool(site.config.security and site.config.security.guardduty),
        )
        return Alerts("alerts", args, site.opts)

    def _create_network(self) -> Network:
        site = self._site
        args = NetworkArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            zone_names=list(site.config.network.zones or ()) or _zones_of(site.provider),
            config=site.config.network,
            key_arn=self.encryption.key_arn,
        )
        return Network("network", args, site.opts)

    def _create_recovery(self) -> Recovery | None:
        site = self._site
        if site.config.recovery is None or site.recovery_provider is None:
            return None
        args = RecoveryArgs(
            name=site.name,
            account_id=site.account_id,
            config=site.config.recovery,
            provider=site.recovery_provider,
            zone_names=_zones_of(site.recovery_provider),
            primary_vpc_id=self.network.vpc_id,
            primary_route_table_ids=dict(
                zip(self.network.routed_table_names, self.network.routed_table_ids, strict=True)
            ),
            primary_config=site.config.network,
        )
        return Recovery("recovery", args, site.opts)

    def outputs(self) -> dict[str, Any]:
        """``vpc_id``, and the recovery region's network where there is one."""
        outputs: dict[str, Any] = {"vpc_id": self.network.vpc_id}
        if self.recovery and self._site.config.recovery:
            outputs["recovery"] = {
                "region": self._site.config.recovery.region,
                "vpc_id": self.recovery.vpc_id,
                "peering_connection_id": self.recovery.peering_connection_id,
                "key_arn": self.encryption.replica_key_arn,
            }
        return outputs


def _zones_of(provider: aws.Provider) -> pulumi.Output[list[str]]:
    opts = pulumi.InvokeOutputOptions(provider=provider)
    return aws.get_availability_zones_output(state="available", opts=opts).names
