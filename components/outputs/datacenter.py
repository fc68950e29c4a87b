"""What runs, and all of it together."""

from __future__ import annotations

from typing import Any

from .base import Output
from .data import (
    BackupOutputs,
    BucketOutputs,
    DataPipelineOutputs,
    DatasetOutputs,
    FileSystemOutputs,
    RecoveryOutputs,
    RegistryOutputs,
    ReplicaOutputs,
)
from .verdict import Verdict


class ClusterOutputs(Output):
    """The cluster."""

    name: str
    endpoint: str
    arn: str
    version: str
    oidc_issuer: str


class PoolOutputs(Output):
    """One node pool; ``accelerator`` is the chip's name, ``None`` on CPU pools.

    ``settings``: what its stack file says of it, without defaults, by which a preview tells what a change recycles.
    """

    name: str
    instance_type: str
    nodes: int
    accelerator: str | None
    settings: dict[str, Any] | None = None


class SmokeTestOutputs(Output):
    """The job that proves the data centre, and what it said; ``None`` until it has run."""

    job: str
    namespace: str
    verdict: Verdict | None


class TeamOutputs(Output):
    """A team's namespace, and the queue in it that its work goes to; ``None`` where nothing queues."""

    name: str
    namespace: str
    queue: str | None


class LoadBalancerOutputs(Output):
    """The load balancer; a ``TargetGroupBinding`` names the target group to have pods served."""

    dns_name: str
    domain_name: str | None
    listener_arn: str
    target_group_arn: str


class FailoverOutputs(Output):
    """Who takes over; a ``TargetGroupBinding`` in the recovery region names the standby's target group, if it is ours.

    ``health_check_id``: of Route 53, good while the stack's own load balancer serves.
    """

    health_check_id: str
    standby_dns_name: str
    standby_target_group_arn: str | None


class MonitoringOutputs(Output):
    """The machine that watches the others; ``url``: its Prometheus, inside the VPC."""

    instance_id: str
    url: str


class AlertsOutputs(Output):
    """The topics of both regions that alarms, events, vaults and the bill tell; ``None``: there is none.

    ``dashboard_name``: CloudWatch's.
    """

    topic_arn: str
    recovery_topic_arn: str | None = None
    dashboard_name: str | None


class TrailOutputs(Output):
    """The trail of calls in the account, and the bucket with its files."""

    arn: str
    bucket_name: str


class TpuClusterOutputs(Output):
    """The GKE cluster; its endpoint is a name, and asks IAM."""

    name: str
    endpoint: str


class TpuPoolOutputs(Output):
    """A pool of equal TPU slices; ``nodes``: machines of all of them."""

    name: str
    machine_type: str
    topology: str
    slices: int
    nodes: int
    accelerator: str


class TpuSmokeTestOutputs(Output):
    """The job on one slice, and what it said; ``None`` until it has run."""

    job: str
    verdict: Verdict | None


class TpuOutputs(Output):
    """TPU slices in Google Cloud."""

    project: str
    region: str
    cluster: TpuClusterOutputs
    kubeconfig: str
    image: str
    pools: tuple[TpuPoolOutputs, ...]
    smoke_tests: tuple[TpuSmokeTestOutputs, ...] = ()


class KarpenterOutputs(Output):
    """What Karpenter's chart is told, and for whom; ``installed``: the release that is in the cluster already."""

    installed: str | None
    namespace: str
    service_account: str
    queue_name: str
    controller_role_arn: str
    node_role_arn: str
    pools: tuple[str, ...]


class DatacenterOutputs(Output):
    """Everything that the rest of the project may know about a stack: its output ``datacenter``."""

    name: str
    region: str
    account_id: str
    vpc_id: str
    cluster: ClusterOutputs
    kubeconfig: str
    pools: tuple[PoolOutputs, ...]
    karpenter: KarpenterOutputs | None = None
    buckets: BucketOutputs
    file_systems: tuple[FileSystemOutputs, ...] = ()
    datasets: tuple[DatasetOutputs, ...] = ()
    data_pipeline: DataPipelineOutputs | None = None
    registry: RegistryOutputs
    smoke_test: SmokeTestOutputs
    teams: tuple[TeamOutputs, ...] = ()
    monitoring: MonitoringOutputs | None
    load_balancer: LoadBalancerOutputs | None = None
    failover: FailoverOutputs | None = None
    recovery: RecoveryOutputs | None = None
    replicas: ReplicaOutputs | None = None
    tpu: TpuOutputs | None = None
    backup: BackupOutputs | None = None
    alerts: AlertsOutputs | None = None
    trail: TrailOutputs | None = None
