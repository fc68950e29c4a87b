"""What a stack file may say: the one place where fields, defaults and limits are written. Knows no Pulumi.

One file a section, with what must hold between its values; what must hold between sections is in
:mod:`components.rules`.
:func:`components.config.load` reads a stack file into :class:`StackConfig`.
"""

from . import karpenter_rules as karpenter_rules
from . import pool_rules as pool_rules
from .alerts import AlertsConfig, BudgetConfig
from .aws import AwsConfig
from .backup import (
    BackupConfig,
    BackupCopyConfig,
    BackupLockConfig,
    BackupPlanConfig,
    BackupRuleConfig,
    RestoreTestConfig,
)
from .cluster import KUBERNETES_VERSIONS, ClusterConfig
from .data_pipeline import (
    CatalogueConfig,
    DataPipelineConfig,
    EtlJobConfig,
    MigrationConfig,
    NfsSourceConfig,
    S3SourceConfig,
)
from .datasets import EFS_REPLICATION_MINUTES, S3_REPLICATION_MINUTES, DatasetConfig
from .ebs import EbsClassConfig
from .efs import AccessPointConfig, EfsConfig
from .failover import FailoverConfig
from .karpenter import KarpenterConfig, KarpenterLimits, KarpenterPoolConfig
from .load_balancer import HealthCheckConfig, LoadBalancerConfig
from .lustre import LustreConfig, LustreLinkConfig
from .monitoring import MonitoringConfig
from .network import ZONES, NetworkConfig
from .pool_sections import BlockCalendar, NodeRepairConfig, WarmPoolConfig
from .pools import UNVERIFIED, PoolConfig, Taint
from .recovery import RecoveryConfig, ReplicationConfig
from .registry import RegistryConfig
from .scheduling import PriorityConfig, QuotaConfig, SchedulingConfig, TeamConfig
from .section import Conflict, Section, WrongByItself
from .security import GuardDutyConfig, SecurityConfig, TrailConfig
from .smoke_test import SmokeTestConfig
from .stack import PROJECT, StackConfig
from .storage import ObjectLockConfig, StorageConfig
from .tpu import TpuConfig, TpuPoolConfig
from .values import REGIONS, RETENTION_DAYS, not_allowed

__all__ = [
    "EFS_REPLICATION_MINUTES",
    "KUBERNETES_VERSIONS",
    "PROJECT",
    "REGIONS",
    "RETENTION_DAYS",
    "S3_REPLICATION_MINUTES",
    "UNVERIFIED",
    "ZONES",
    "AccessPointConfig",
    "AlertsConfig",
    "AwsConfig",
    "BackupConfig",
    "BackupCopyConfig",
    "BackupLockConfig",
    "BackupPlanConfig",
    "BackupRuleConfig",
    "BlockCalendar",
    "BudgetConfig",
    "CatalogueConfig",
    "ClusterConfig",
    "Conflict",
    "DataPipelineConfig",
    "DatasetConfig",
    "EbsClassConfig",
    "EfsConfig",
    "EtlJobConfig",
    "FailoverConfig",
    "GuardDutyConfig",
    "HealthCheckConfig",
    "KarpenterConfig",
    "KarpenterLimits",
    "KarpenterPoolConfig",
    "LoadBalancerConfig",
    "LustreConfig",
    "LustreLinkConfig",
    "MigrationConfig",
    "MonitoringConfig",
    "NetworkConfig",
    "NfsSourceConfig",
    "NodeRepairConfig",
    "ObjectLockConfig",
    "PoolConfig",
    "PriorityConfig",
    "QuotaConfig",
    "RecoveryConfig",
    "RegistryConfig",
    "ReplicationConfig",
    "RestoreTestConfig",
    "S3SourceConfig",
    "SchedulingConfig",
    "Section",
    "SecurityConfig",
    "SmokeTestConfig",
    "StackConfig",
    "StorageConfig",
    "Taint",
    "TeamConfig",
    "TpuConfig",
    "TpuPoolConfig",
    "TrailConfig",
    "WarmPoolConfig",
    "WrongByItself",
    "not_allowed",
]
