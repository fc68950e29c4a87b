"""What others reach: the load balancer before inference services."""

from __future__ import annotations

from typing import Any

from ..load_balancer import LoadBalancer, LoadBalancerArgs
from ..load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs
from ..settings import LoadBalancerConfig
from .compute import Compute
from .foundation import Foundation
from .site import Site


class Services:
    """The load balancer and the rights of the controller that fills its target group, where the stack has one."""

    load_balancer: LoadBalancer | None = None

    def __init__(self, site: Site, foundation: Foundation, compute: Compute) -> None:
        self._site, self._network, self._cluster = site, foundation.network, compute.cluster
        if site.config.load_balancer:
            self.load_balancer = self._create_load_balancer(site.config.load_balancer)
            self._create_controller(self.load_balancer)

    def _create_load_balancer(self, config: LoadBalancerConfig) -> LoadBalancer:
        site = self._site
        args = LoadBalancerArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            network=self._network,
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

    def outputs(self) -> dict[str, Any]:
        """``load_balancer``, where there is one."""
        config, balancer = self._site.config.load_balancer, self.load_balancer
        if config is None or balancer is None:
            return {}
        found = {
            "dns_name": balancer.dns_name,
            "domain_name": config.domain_name,
            "listener_arn": balancer.listener_arn,
            "target_group_arn": balancer.target_group_arn,
        }
        return {"load_balancer": found}
