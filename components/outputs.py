"""What a stack tells: one typed model, which inventory, smoke test, cost and drills read, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

# Verdicts come from files too, that anybody may have written: what is beyond these is no measurement.
Step = Annotated[int, Field(ge=0, le=2**53)]  # a float's whole numbers
Seconds = Annotated[float, Field(ge=-1e9, le=1e9)]  # 31 years; clocks may be set back

ONCE_ZERO = (  # of a failed job's verdict: what nobody can have measured as 0
    "processes", "devices", "loss_first", "loss_last", "first_step_s", "tokens_per_s", "step_time_p50_s",
    "step_time_p95_s", "collective_time_s",
)  # fmt: skip


class Output(BaseModel):
    """A part of the outputs: frozen, closed to unknown keys, and without numbers that JSON does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NodeCheck(Output):
    """One node before and in training; FLOP/s and bytes a second are those of its slowest device.

    ``slower`` is by what share its work takes longer than its peers', with the interval, and ``step_slower`` the same
    of the training's steps; ``None`` where it has no peers or was not measured.
    """

    node: str
    health: str
    matmul_flops: float | None
    memory_bytes_per_s: float | None
    to_device_bytes_per_s: float | None
    store_write_bytes_per_s: float | None
    slower: float | None
    slower_low: float | None
    slower_high: float | None
    step_slower: float | None


class Setup(Output):
    """How the smoke test measured: versions of the software by name, the model in words, what followed from checks."""

    instance_type: str
    backend: str
    software: dict[str, str]
    model: str
    checks: str


class WorkerSeries(Output):
    """What a worker needed of each step until it needed the others, in seconds; ``None`` where nobody knows."""

    node: str
    own_s: tuple[Seconds | None, ...]


class Series(Output):
    """The training's curves: a number for each of ``steps``; ``step_s`` are seconds, ``None`` is no finite number."""

    steps: tuple[Step, ...]
    loss: tuple[float | None, ...]
    step_s: tuple[Seconds | None, ...]
    workers: tuple[WorkerSeries, ...] = ()

    @model_validator(mode="after")
    def _as_many_of_each(self) -> Series:
        numbers = [self.loss, self.step_s, *(worker.own_s for worker in self.workers)]
        if any(len(one) != len(self.steps) for one in numbers):
            raise ValueError("every curve must have a number for each of its steps")
        return self


class Verdict(Output):
    """What the smoke test says of the data centre; the schema of ``workloads/train/report.py``.

    Times are seconds, ``loss_*`` nats a byte, ``started_at`` and ``finished_at`` ISO 8601 in UTC; ``first_step_s`` is
    from the start of process 0 to the end of its first step. ``emulated``: CPUs stood in for accelerators.
    ``attention``: which implementation was chosen; ``skipped_steps`` were not finite, or far off: they changed nothing.
    ``health`` is what the checks of the nodes say: ``PASS``, ``FAIL`` or ``UNKNOWN``, and empty where none were made.
    What was never measured, or is not finite, is ``None``. Failed jobs once wrote 0 for it, which is read as ``None``.
    """

    passed: bool
    reason: str
    job: str
    processes: int | None
    devices: int | None
    device_kind: str
    emulated: bool = False
    nodes: tuple[str, ...]
    loss_first: float | None
    loss_last: float | None
    steps: Step
    first_step_s: Seconds | None
    tokens_per_s: float | None
    step_time_p50_s: Seconds | None
    step_time_p95_s: Seconds | None
    collective_time_s: Seconds | None
    health: str = ""  # a state that was written before the job made checks has none
    health_reason: str = ""
    node_checks: tuple[NodeCheck, ...] = ()
    attention: str = ""
    skipped_steps: Step = 0
    resumed_from_step: Step | None
    checkpoint: str | None
    started_at: str
    finished_at: str
    setup: Setup | None = None
    # The curves stay in the bucket: a state is no place for them.
    series: Series | None = Field(default=None, exclude=True)

    @field_validator(*ONCE_ZERO)
    @classmethod
    def _never_measured(cls, value: float | None, info: ValidationInfo) -> float | None:
        return None if value == 0 and info.data.get("passed") is False else value


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


class RecoveryOutputs(Output):
    """The recovery region's network, and the key of what rests there."""

    region: str
    vpc_id: str
    peering_connection_id: str
    key_arn: str


class ReplicaOutputs(Output):
    """Copies in the recovery region: buckets' names and file systems' ids, by what a stack file calls the originals."""

    buckets: dict[str, str]
    file_systems: dict[str, str]
    repository_url: str | None


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


class BackupVaultOutputs(Output):
    """Where backups are."""

    region: str
    name: str
    arn: str


class BackupPlanOutputs(Output):
    """A plan of AWS Backup; ``resource_arns``: the buckets and file systems that it backs up."""

    name: str
    id: str
    resource_arns: tuple[str, ...]


class BackupOutputs(Output):
    """The vaults (``copies``: the recovery region's), what goes into them, and the plan that tests restores."""

    vault: BackupVaultOutputs
    copies: BackupVaultOutputs | None
    plans: tuple[BackupPlanOutputs, ...]
    restore_test: str | None


class MigrationOutputs(Output):
    """A transfer from elsewhere; ``source_role_arn``: whom the policy of a source bucket elsewhere must let in."""

    name: str
    task_arn: str
    source_role_arn: str | None
    dataset: str | None


class CatalogueOutputs(Output):
    """The Glue table with a row for each run of etl."""

    database: str
    table: str
    location_url: str


class EtlOutputs(Output):
    """The job that makes training data; ``output_url``: where runs get their folders."""

    cron_job: str
    namespace: str
    output_url: str
    dataset: str | None


class DataPipelineOutputs(Output):
    """How data comes, and what makes training data of it."""

    migrations: tuple[MigrationOutputs, ...]
    catalogue: CatalogueOutputs | None
    etl: EtlOutputs | None


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
