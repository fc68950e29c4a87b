"""The whole of a stack file."""

from __future__ import annotations

from pydantic import Field

from .alerts import AlertsConfig
from .aws import AwsConfig
from .backup import BackupConfig
from .cluster import ClusterConfig
from .data_pipeline import DataPipelineConfig
from .ebs import EbsClassConfig
from .efs import EfsConfig
from .failover import FailoverConfig
from .karpenter import KarpenterConfig
from .load_balancer import LoadBalancerConfig
from .lustre import LustreConfig
from .monitoring import MonitoringConfig
from .network import NetworkConfig
from .pools import PoolConfig
from .recovery import RecoveryConfig
from .registry import RegistryConfig
from .scheduling import SchedulingConfig
from .section import Section
from .security import SecurityConfig
from .smoke_test import SmokeTestConfig
from .storage import StorageConfig
from .tpu import TpuConfig
from .values import Name, TagKey, TagValue

PROJECT = "ai-datacenter"


class StackConfig(Section):
    """Everything a stack file says about the data centre."""

    aws: AwsConfig
    name: Name = Field(description="Prefix of all names, at most 20 characters.")
    network: NetworkConfig
    cluster: ClusterConfig = ClusterConfig()
    pools: dict[Name, PoolConfig] = Field(min_length=1, description="Node pools by name.")
    karpenter: KarpenterConfig | None = Field(
        default=None, description="Pools whose nodes Karpenter makes as pods need them; absent: none."
    )
    storage: StorageConfig = StorageConfig()
    lustre: dict[Name, LustreConfig] = Field(default_factory=dict, description="FSx for Lustre file systems by name.")
    efs: dict[Name, EfsConfig] = Field(default_factory=dict, description="EFS file systems by name.")
    ebs: dict[Name, EbsClassConfig] = Field(default_factory=dict, description="Classes of disks for pods, by name.")
    data_pipeline: DataPipelineConfig | None = Field(
        default=None, description="Migrations into the data centre, and what makes training data; absent: neither."
    )
    registry: RegistryConfig = RegistryConfig()
    smoke_test: SmokeTestConfig
    monitoring: MonitoringConfig | None = Field(default=None, description="Absent: nothing watches the nodes.")
    scheduling: SchedulingConfig | None = Field(
        default=None, description="Teams, quotas and priorities; absent: everything runs for everybody."
    )
    alerts: AlertsConfig | None = Field(
        default=None, description="Who is told of alarms, of AWS's own events and of costs; absent: nobody."
    )
    load_balancer: LoadBalancerConfig | None = Field(
        default=None, description="A load balancer for inference services; absent: none."
    )
    recovery: RecoveryConfig | None = Field(default=None, description="The region that is to take over; absent: none.")
    failover: FailoverConfig | None = Field(
        default=None, description="Who answers under the load balancer's name in its stead; absent: nobody."
    )
    tpu: TpuConfig | None = Field(
        default=None, description="TPU slices in a GKE cluster of Google Cloud; absent: none."
    )
    backup: BackupConfig | None = Field(
        default=None, description="Backups by AWS Backup; absent: what EFS and FSx keep by themselves."
    )
    security: SecurityConfig | None = Field(
        default=None, description="What guards the account beside the stack's own resources; absent: nothing."
    )
    retain_data: bool = Field(
        default=True,
        description="Destroying a stack stops at buckets and registries with content, and nothing deletes or replaces "
        "file systems that keep data and the key that all of it is encrypted with: they can go after an up with false.",
    )
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=40, description="Tags on everything.")
