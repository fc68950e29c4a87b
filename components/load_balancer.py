"""One load balancer for inference services: TLS, health checks, access logs, and a target group for their pods.

Who puts pods into the target group is the AWS Load Balancer Controller (:mod:`components.load_balancer_controller`), by
a ``TargetGroupBinding`` that names its ARN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .access_logs import AccessLogsArgs, create_log_bucket
from .certificate import create_certificate
from .naming import component_type
from .records import Target, create_record
from .settings import LoadBalancerConfig
from .web_acl import create_web_acl


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """Arguments of :class:`LoadBalancer`.

    Attributes:
        subnet_ids: what it stands in, two zones at least: public ones where the internet reaches it, else private ones.
        vpc_cidr: where its targets are, and who may connect where the configuration names nobody.
        cluster_security_group_id: the group of its targets, absent where there is no cluster yet.
        retain: whether it stops a destroy.
        proof_fqdn: the record that proves its name, where another region's load balancer has it.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: LoadBalancerConfig
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    vpc_cidr: str
    cluster_security_group_id: pulumi.Input[str] | None
    retain: bool
    proof_fqdn: pulumi.Input[str] | None = None


class LoadBalancer(pulumi.ComponentResource):
    """The load balancer and what stands around it; its record comes by :meth:`add_record`.

    Attributes:
        load_balancer_arn: its ARN.
        listener_arn: the listener that forwards to the targets.
        target_group_arn: the group that a ``TargetGroupBinding`` fills.
        target: what leads a record to it.
        proof_fqdn: the record that proves its name, ``None`` where it has none.
    """

    dns_name: pulumi.Output[str]
    load_balancer_arn: pulumi.Output[str]
    listener_arn: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    target: Target
    proof_fqdn: pulumi.Input[str] | None = None

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(LoadBalancer), name, None, opts)
        self._name, self._args, self._config = name, args, args.config
        self._child = pulumi.ResourceOptions(parent=self)
        self._balancer = self._create_balancer(self._create_group())
        targets = self._create_target_group()
        listener = self._create_listener(targets)
        self._create_redirect()
        if self._config.waf:
            create_web_acl(name, f"{args.name}-{name}", self._balancer.arn, self._child)
        self.dns_name, self.load_balancer_arn = self._balancer.dns_name, self._balancer.arn
        self.listener_arn, self.target_group_arn = listener.arn, targets.arn
        self.target = Target(dns_name=self._balancer.dns_name, zone_id=self._balancer.zone_id)
        self.register_outputs({"dns_name": self.dns_name, "target_group_arn": self.target_group_arn})

    def _tags(self) -> dict[str, str]:
        return {"Name": f"{self._args.name}-{self._name}"}

    def _create_group(self) -> aws.ec2.SecurityGroup:
        """From the allowed ranges in, to the services' port out; and the nodes' group lets it in there."""
        args, port = self._args, self._config.target_port
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            description="From allowed ranges to the load balancer, and from it to the services' pods",
            vpc_id=args.vpc_id,
            tags=self._tags(),
            opts=self._child,
        )
        ranges = [str(cidr) for cidr in self._config.allowed_cidrs] or [args.vpc_cidr]
        ports = [self._config.listens_on, *([80] if self._redirects else [])]
        for index, (cidr, open_port) in enumerate((cidr, open_port) for open_port in ports for cidr in ranges):
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-in-{index}",
                security_group_id=group.id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=open_port,
                to_port=open_port,
                opts=self._child,
            )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-out",
            security_group_id=group.id,
            cidr_ipv4=args.vpc_cidr,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._child,
        )
        if args.cluster_security_group_id is not None:
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-to-pods",
                security_group_id=args.cluster_security_group_id,
                referenced_security_group_id=group.id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                opts=self._child,
            )
        return group

    def _create_balancer(self, group: aws.ec2.SecurityGroup) -> aws.lb.LoadBalancer:
        args, config = self._args, self._config
        logs, after = self._create_access_logs()
        return aws.lb.LoadBalancer(
            f"{self._name}-balancer",
            load_balancer_type=config.kind,
            internal=config.scheme == "internal",
            subnets=args.subnet_ids,
            security_groups=[group.id],
            enable_deletion_protection=args.retain,
            access_logs=logs,
            tags=self._tags(),
            **self._of_its_kind(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _of_its_kind(self) -> dict[str, Any]:
        """What only one of the two kinds has; an application load balancer always balances over zones."""
        if self._config.kind == "network":
            return {"enable_cross_zone_load_balancing": self._config.cross_zone}
        idle = self._config.idle_timeout_s
        return {"drop_invalid_header_fields": True, **({} if idle is None else {"idle_timeout": idle})}

    def _create_access_logs(self) -> tuple[Any, list[pulumi.Resource]]:
        args, config = self._args, self._config
        if not config.logs_access or config.access_log_days is None:
            return None, []
        logs = AccessLogsArgs(
            name=f"{self._name}-logs",
            stack_name=args.name,
            region=args.region,
            account_id=args.account_id,
            kind=config.kind,
            keep_days=config.access_log_days,
            retain=args.retain,
        )
        bucket, policy = create_log_bucket(logs, self._child)
        return {"bucket": bucket.bucket, "enabled": True}, [policy]

    def _create_target_group(self) -> aws.lb.TargetGroup:
        """Targets are pods by their addresses: with the VPC CNI these are the VPC's."""
        config = self._config
        # An application load balancer can be kept within zones only here.
        keeps_zones = config.kind == "application" and not config.cross_zone
        return aws.lb.TargetGroup(
            f"{self._name}-targets",
            target_type="ip",
            port=config.target_port,
            protocol="HTTP" if config.kind == "application" else "TCP",
            vpc_id=self._args.vpc_id,
            health_check=health_check(config),  # pyright: ignore[reportArgumentType]  # plain values, tested as such
            deregistration_delay=config.deregistration_delay_s,
            load_balancing_cross_zone_enabled="false" if keeps_zones else None,
            tags=self._tags(),
            opts=self._child,
        )

    def _create_listener(self, targets: aws.lb.TargetGroup) -> aws.lb.Listener:
        config = self._config
        plain, encrypted = ("HTTP", "HTTPS") if config.kind == "application" else ("TCP", "TLS")
        tls: dict[str, Any] = {}
        if config.domain_name and config.zone_id:
            name, zone_id = config.domain_name, config.zone_id
            certificate = create_certificate(self._name, name, zone_id, self._child, self._args.proof_fqdn)
            self.proof_fqdn = certificate.proof_fqdn
            tls = {"certificate_arn": certificate.arn, "ssl_policy": config.tls_policy}
        return aws.lb.Listener(
            f"{self._name}-listener",
            load_balancer_arn=self._balancer.arn,
            port=config.listens_on,
            protocol=encrypted if config.is_tls else plain,
            default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
            tcp_idle_timeout_seconds=config.idle_timeout_s if config.kind == "network" else None,
            tags=self._tags(),
            **tls,
            opts=self._child,
        )

    @property
    def _redirects(self) -> bool:
        return self._config.kind == "application" and self._config.is_tls

    def _create_redirect(self) -> None:
        if not self._redirects:
            return
        to = {"protocol": "HTTPS", "port": str(self._config.listens_on), "status_code": "HTTP_301"}
        aws.lb.Listener(
            f"{self._name}-redirect",
            load_balancer_arn=self._balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[{"type": "redirect", "redirect": to}],  # pyright: ignore[reportArgumentType]
            tags=self._tags(),
            opts=self._child,
        )

    def add_record(self, target: Target | None = None, after: Sequence[pulumi.Resource] = ()) -> None:
        """The record of its name, where it has one; ``target``: where that leads if not to it, and ``after`` what."""
        config = self._config
        if config.domain_name and config.zone_id:
            opts = pulumi.ResourceOptions(parent=self, depends_on=list(after))
            create_record(f"{self._name}-record", config.zone_id, config.domain_name, target or self.target, opts)


def health_check(config: LoadBalancerConfig) -> dict[str, Any]:
    """The target group's health check."""
    check, protocol = config.health_check, config.check_protocol
    asked = {} if protocol == "tcp" else {"path": check.path or "/healthz", "matcher": "200-399"}
    return {
        "protocol": protocol.upper(),
        "port": "traffic-port",
        "interval": check.interval_s,
        "timeout": check.timeout_s,
        "healthy_threshold": check.healthy_threshold,
        "unhealthy_threshold": check.unhealthy_threshold,
        **asked,
    }
