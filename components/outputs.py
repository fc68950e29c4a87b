"""What a stack tells: one typed model, which inventory, smoke test, cost and drills read, and nothing else."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Output(BaseModel):
    """A part of the outputs: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(Output):
    """What the smoke test says of the data centre; the schema of ``workloads/train/report.py``.

    Times are seconds, ``loss_*`` nats a byte, ``started_at`` and ``finished_at`` ISO 8601 in UTC; ``first_step_s`` is
    from the start of process 0 to the end of its first step. ``emulated``: CPUs stood in for accelerators.
    """

    passed: bool
    reason: str
    job: str
    processes: int
    devices: int
    device_kind: str
    emulated: bool = False
    nodes: tuple[str, ...]
    loss_first: float
    loss_last: float
    steps: int
    first_step_s: float
    tokens_per_s: float
    step_time_p50_s: float
    step_time_p95_s: float
    collective_time_s: float
    resumed_from_step: int | None
    checkpoint: str | None
    started_at: str
    finished_at: str


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


class BucketOutputs(Output):
    """The buckets' names."""

    data: str
    checkpoints: str


class FileSystemOutputs(Output):
    """A shared file system; ``mount_name`` is Lustre's, ``storage_class`` what a claim names to get a part of it."""

    name: str
    kind: str
    id: str
    arn: str
    dns_name: str
    mount_name: str | None
    storage_class: str


class DatasetOutputs(Output):
    """A dataset: ``id`` is the bucket's name or the file system's id; targets are ``None`` where none is promised."""

    name: str
    kind: str
    place: str
    id: str
    class_: str = Field(alias="class")
    owner: str
    rpo_minutes: int | None
    rto_minutes: int | None


class RegistryOutputs(Output):
    """The registry and the workload's image in it."""

    repository_url: str
    image: str


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


class MonitoringOutputs(Output):
    """The machine that watches the others; ``url``: its Prometheus, inside the VPC."""

    instance_id: str
    url: str


class AlertsOutputs(Output):
    """The topic that alarms, events and the bill tell; ``dashboard_name``: CloudWatch's, ``None`` without one."""

    topic_arn: str
    dashboard_name: str | None


class TrailOutputs(Output):
    """The trail of calls in the account, and the bucket with its files."""

    arn: str
    bucket_name: str


class RecoveryOutputs(Output):
    """The recovery region's network."""

    region: str
    vpc_id: str
    peering_connection_id: str


class DatacenterOutputs(Output):
    """Everything that the rest of the project may know about a stack: its output ``datacenter``."""

    name: str
    region: str
    account_id: str
    vpc_id: str
    cluster: ClusterOutputs
    kubeconfig: str
    pools: tuple[PoolOutputs, ...]
    buckets: BucketOutputs
    file_systems: tuple[FileSystemOutputs, ...] = ()
    datasets: tuple[DatasetOutputs, ...] = ()
    registry: RegistryOutputs
    smoke_test: SmokeTestOutputs
    teams: tuple[TeamOutputs, ...] = ()
    monitoring: MonitoringOutputs | None
    load_balancer: LoadBalancerOutputs | None = None
    recovery: RecoveryOutputs | None = None
    alerts: AlertsOutputs | None = None
    trail: TrailOutputs | None = None
