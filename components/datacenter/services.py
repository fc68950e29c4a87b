"""What others reach: the load balancer before inference services, and who answers in its stead."""

from __future__ import annotations

from typing import Any

import pulumi

from ..failover import Failover, FailoverArgs
from ..load_balancer import LoadBalancer, LoadBalancerArgs
from ..load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs
from ..network import Network
from ..records import Target
from ..recovery import Recovery
from ..rules.failover import checks_of
from ..settings import FailoverConfig, LoadBalancerConfig, RecoveryConfig
from .compute import Compute
from .foundation import Foundation
from .site import Site


class Services:
    """The load balancer and the rights of the controller that fills its target group, where the stack has one.

    ``standby``: a load balancer like it in the recovery region, without targets until somebody takes over there.
    """

    load_balancer: LoadBalancer | None = None
    standby: LoadBalancer | None = None
    failover: Failover | None = None

    def __init__(self, site: Site, foundation: Foundation, compute: Compute) -> None:
        self._site, self._foundation, self._cluster = site, foundation, compute.cluster
        if site.config.load_balancer is None:
            return
        self.load_balancer = self._create_load_balancer(site.config.load_balancer)
        self._create_controller(self.load_balancer)
        if site.config.failover:
            self.failover = self._create_failover(site.config.failover, site.config.load_balancer, self.load_balancer)
            self.load_balancer.add_record(self.failover.target, after=self.failover.records)
        else:
            self.load_balancer.add_record()

    def _create_load_balancer(self, config: LoadBalancerConfig) -> LoadBalancer:
        site = self._site
        args = LoadBalancerArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            vpc_id=self._foundation.network.vpc_id,
            subnet_ids=balancer_subnets(self._foundation.network, config),
            vpc_cidr=str(site.config.network.cidr),
            cluster_security_group_id=self._cluster.security_group_id,
            retain=site.config.retain_data,
        )
        return LoadBalancer("load-balancer", args, site.opts)

    def _create_controller(self, balancer: LoadBalancer) -> None:
        args = LoadBalancerControllerArgs(
            name=self._site.name,
            region=self._site.region,
            cluster_name=self._cluster.cluster_name,
            target_group_arns=[balancer.target_group_arn],
        )
        LoadBalancerController("load-balancer-controller", args, self._site.opts)

    def _create_failover(
        self, config: FailoverConfig, balancer_config: LoadBalancerConfig, balancer: LoadBalancer
    ) -> Failover:
        site, recovery, provider = self._site, self._foundation.recovery, self._site.recovery_provider
        standby = Target(dns_name=config.standby_dns_name or "", ttl_s=config.ttl_s or 60)
        if config.standby_dns_name is None and recovery and provider and site.config.recovery:
            opts = pulumi.ResourceOptions(provider=provider)
            self.standby = self._create_standby(balancer_config, site.config.recovery, recovery, balancer, opts)
            standby = self.standby.target
        args = FailoverArgs(
            name=site.name,
            region=site.region,
            config=config,
            checks=checks_of(site.config),
            balancer=balancer_config,
            load_balancer_arn=balancer.load_balancer_arn,
            target_group_arn=balancer.target_group_arn,
            primary=balancer.target,
            standby=standby,
        )
        return Failover("failover", args, site.opts)

    def _create_standby(
        self,
        config: LoadBalancerConfig,
        recovery_config: RecoveryConfig,
        recovery: Recovery,
        balancer: LoadBalancer,
        opts: pulumi.ResourceOptions,
    ) -> LoadBalancer:
        """Who may connect to the first one may connect to it: the first one's VPC is its peer."""
        site = self._site
        everybody = config.allowed_cidrs or (site.config.network.cidr, recovery_config.cidr)
        args = LoadBalancerArgs(
            name=site.name,
            region=recovery_config.region,
            account_id=site.account_id,
            config=config.model_copy(update={"allowed_cidrs": everybody}),
            vpc_id=recovery.vpc_id,
            subnet_ids=balancer_subnets(recovery.network, config),
            vpc_cidr=str(recovery_config.cidr),
            cluster_security_group_id=None,
            retain=site.config.retain_data,
            proof_fqdn=balancer.proof_fqdn,
        )
        return LoadBalancer("standby", args, opts)

    def outputs(self) -> dict[str, Any]:
        """The fields ``load_balancer`` and ``failover`` of :class:`components.outputs.DatacenterOutputs`."""
        config, balancer = self._site.config.load_balancer, self.load_balancer
        if config is None or balancer is None:
            return {}
        found = {
            "dns_name": balancer.dns_name,
            "domain_name": config.domain_name,
            "listener_arn": balancer.listener_arn,
            "target_group_arn": balancer.target_group_arn,
        }
        return {"load_balancer": found, **self._failover_outputs()}

    def _failover_outputs(self) -> dict[str, Any]:
        config = self._site.config.failover
        if config is None or self.failover is None:
            return {}
        found = {
            "health_check_id": self.failover.health_check_id,
            "standby_dns_name": self.standby.dns_name if self.standby else config.standby_dns_name,
            "standby_target_group_arn": self.standby.target_group_arn if self.standby else None,
        }
        return {"failover": found}


def balancer_subnets(network: Network, config: LoadBalancerConfig) -> list[pulumi.Output[str]]:
    """Where a load balancer stands: the internet reaches public subnets only."""
    return network.public_subnet_ids if config.scheme == "internet_facing" else network.private_subnet_ids
