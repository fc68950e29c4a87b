"""What is looked at by CloudWatch: for each part of the data centre the numbers that tell of trouble before users do.

The nodes themselves are Prometheus' business. Metrics and their dimensions: the guides of NAT gateways, Lustre, EFS,
load balancers and EC2, each under "CloudWatch metrics"; S3's under "Using S3 Replication metrics".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from .bucket_replication import RULE_ID
from .settings import S3_REPLICATION_MINUTES, AlertsConfig

_GIB = 2**30
# A tenth of what a file system in bursting mode begins with, 2.1 TiB (EFS guide, "Bursting throughput").
_FEW_BURST_CREDITS = 2.1 * 2**40 / 10

Comparison = Literal["GreaterThanThreshold", "LessThanThreshold"]
Id = TypeVar("Id")


@dataclass(frozen=True, kw_only=True)
class Watched(Generic[Id]):
    """The parts, each where there is any; ``Id``: what names one in AWS: text, or an output that will be.

    Attributes:
        nat_gateways: ids of NAT gateways.
        lustre: ids of FSx for Lustre file systems by name.
        lustre_gib: their capacities, GiB.
        efs: ids of EFS file systems by name.
        bursting: the names of those in bursting mode, whose credits can run out.
        balancer: a load balancer: its kind, its ARN and its target group's.
        server: the instance with Prometheus.
        replicas: names of buckets and of their replicas in the recovery region, by what a stack file calls them.
        replica_region: that region.
        rpo_minutes: for each bucket, the least that its datasets may lose.
    """

    nat_gateways: Sequence[Id] = ()
    lustre: Mapping[str, Id] = field(default_factory=dict[str, Id])
    lustre_gib: Mapping[str, int] = field(default_factory=dict[str, int])
    efs: Mapping[str, Id] = field(default_factory=dict[str, Id])
    bursting: Collection[str] = ()
    balancer: tuple[Literal["network", "application"], Id, Id] | None = None
    server: Id | None = None
    replicas: Mapping[str, tuple[Id, Id]] = field(default_factory=dict[str, tuple[Id, Id]])
    replica_region: str | None = None
    rpo_minutes: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One metric and the number beyond which it is trouble, for ``minutes`` on end: by default, that it is any.

    ``missing``: what no measurement means. A gateway without errors measures none; a machine that is silent is down.
    ``region``: where the metric is, if not in the stack's own region; an alarm elsewhere would never see it.
    """

    name: str
    text: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: Literal["Sum", "Maximum", "Minimum"] = "Maximum"
    threshold: float = 0
    minutes: int = 5
    comparison: Comparison = "GreaterThanThreshold"
    missing: Literal["notBreaching", "breaching", "missing"] = "notBreaching"
    period_s: int = 60
    region: str | None = None


def alarms(config: AlertsConfig, watched: Watched[str]) -> list[Alarm]:
    """The alarms of all parts that there are; their names depend on no id."""
    return [
        *(_nat(index, gateway) for index, gateway in enumerate(watched.nat_gateways)),
        *(_lustre(name, id, watched.lustre_gib[name], config) for name, id in watched.lustre.items()),
        *(alarm for name, id in watched.efs.items() for alarm in _efs(name, id, name in watched.bursting)),
        *(_balancer(*watched.balancer, config.errors_5xx) if watched.balancer else ()),
        *([_server(watched.server)] if watched.server is not None else ()),
        *(alarm for kind in watched.replicas for alarm in _replica(kind, watched)),
    ]


def _nat(index: int, gateway: str) -> Alarm:
    return Alarm(
        name=f"nat-{index}-ports",
        text="The NAT gateway has no port left for new connections: pulls of images and of data fail at random.",
        namespace="AWS/NATGateway",
        metric="ErrorPortAllocation",
        dimensions={"NatGatewayId": gateway},
        statistic="Sum",
    )


def _lustre(name: str, id: str, capacity_gib: int, config: AlertsConfig) -> Alarm:
    """Each target of the file system tells its own; together they are its whole, once a minute."""
    return Alarm(
        name=f"lustre-{name}-full",
        text=f"Lustre {name} is nearly full: writes fail when one of its targets is. Raise capacity_gib, or release.",
        namespace="AWS/FSx",
        metric="FreeDataStorageCapacity",
        dimensions={"FileSystemId": id},
        statistic="Sum",
        threshold=capacity_gib * _GIB * config.lustre_free_percent / 100,
        comparison="LessThanThreshold",
        missing="missing",
    )


def _efs(name: str, id: str, bursts: bool) -> list[Alarm]:
    limit = Alarm(
        name=f"efs-{name}-limit",
        text=f"EFS {name} is at the limit of its operations: everybody's files are slow.",
        namespace="AWS/EFS",
        metric="PercentIOLimit",
        dimensions={"FileSystemId": id},
        threshold=95,
        minutes=15,
    )
    if not bursts:
        return [limit]
    credits = Alarm(
        name=f"efs-{name}-credits",
        text=f"EFS {name} has used up nine tenths of its burst credits: soon it is as slow as it is small.",
        namespace="AWS/EFS",
        metric="BurstCreditBalance",
        dimensions={"FileSystemId": id},
        statistic="Minimum",
        threshold=_FEW_BURST_CREDITS,
        comparison="LessThanThreshold",
        minutes=15,
        missing="missing",
    )
    return [limit, credits]


def _balancer(kind: str, balancer_arn: str, group_arn: str, errors: int) -> list[Alarm]:
    """CloudWatch names load balancer and target group by the ends of their ARNs."""
    balancer, group = balancer_arn.rpartition(":loadbalancer/")[2], group_arn.rpartition(":")[2]
    namespace = "AWS/ApplicationELB" if kind == "application" else "AWS/NetworkELB"
    targets = {"LoadBalancer": balancer, "TargetGroup": group}
    unhealthy = Alarm(
        name="load-balancer-unhealthy",
        text="Targets of the load balancer fail their health check.",
        namespace=namespace,
        metric="UnHealthyHostCount",
        dimensions=targets,
    )
    if kind != "application":
        return [unhealthy]
    sources = {"HTTPCode_Target_5XX_Count": "services", "HTTPCode_ELB_5XX_Count": "the load balancer itself"}
    return [
        unhealthy,
        *(
            Alarm(
                name=f"load-balancer-5xx-{source.rpartition(' ')[2]}",
                text=f"More than {errors} answers in 5 minutes are errors of {source}.",
                namespace=namespace,
                metric=metric,
                dimensions={"LoadBalancer": balancer},
                statistic="Sum",
                threshold=errors,
                period_s=300,
            )
            for metric, source in sources.items()
        ),
    ]


def _server(instance: str) -> Alarm:
    return Alarm(
        name="monitoring-down",
        text="The machine with Prometheus fails EC2's checks: nothing watches the nodes.",
        namespace="AWS/EC2",
        metric="StatusCheckFailed",
        dimensions={"InstanceId": instance},
        minutes=3,
        missing="breaching",
    )


def _replica(kind: str, watched: Watched[str]) -> list[Alarm]:
    """No target of a dataset is shorter than what S3 promises, so that lateness is told before a target is missed.

    S3 counts what waits where the replica is, and what failed where the original is.
    """
    original, replica = watched.replicas[kind]
    dimensions = {"SourceBucket": original, "DestinationBucket": replica, "RuleId": RULE_ID}
    least = f"; its datasets may lose {watched.rpo_minutes[kind]}" if kind in watched.rpo_minutes else ""
    late = Alarm(
        name=f"replica-{kind}-late",
        text=f"The replica of the {kind} bucket lacks what is older than {S3_REPLICATION_MINUTES} minutes{least}.",
        namespace="AWS/S3",
        metric="ReplicationLatency",
        dimensions=dimensions,
        # For five minutes on end: the promise is of 99.99 %, and one object that is a little late breaks none.
        threshold=S3_REPLICATION_MINUTES * 60,
        missing="missing",
        region=watched.replica_region,
    )
    failed = Alarm(
        name=f"replica-{kind}-failed",
        text=f"Objects of the {kind} bucket have no replica, and S3 does not try again: find the reason in its failure "
        "events, then copy them by S3 Batch Replication.",
        namespace="AWS/S3",
        metric="OperationsFailedReplication",
        dimensions=dimensions,
        statistic="Sum",
        period_s=300,
    )
    return [late, failed]
