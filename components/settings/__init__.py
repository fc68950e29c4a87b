"""What a stack file may say: the one place where fields, defaults and limits are written. Knows no Pulumi.

One file a section; what must hold between values is in :mod:`components.rules`.
:func:`components.config.load` reads a stack file into :class:`StackConfig`.
"""

from .alerts import AlertsConfig, BudgetConfig
from .aws import AwsConfig
from .cluster import KUBERNETES_VERSIONS, ClusterConfig
from .datasets import DatasetConfig
from .ebs import EbsClassConfig
from .efs import AccessPointConfig, EfsConfig
from .load_balancer import HealthCheckConfig, LoadBalancerConfig
from .lustre import LustreConfig, LustreLinkConfig
from .monitoring import MonitoringConfig
from .network import ZONES, NetworkConfig
from .pool_sections import BlockCalendar, NodeRepairConfig, WarmPoolConfig
from .pools import PoolConfig, Taint
from .recovery import RecoveryConfig
from .registry import RegistryConfig
from .scheduling import PriorityConfig, QuotaConfig, SchedulingConfig, TeamConfig
from .section import Conflict, Section, WrongByItself
from .security import GuardDutyConfig, SecurityConfig, TrailConfig
from .smoke_test import SmokeTestConfig
from .stack import PROJECT, StackConfig
from .storage import ObjectLockConfig, StorageConfig
from .values import REGIONS, RETENTION_DAYS, not_allowed

__all__ = [
    "KUBERNETES_VERSIONS",
    "PROJECT",
    "REGIONS",
    "RETENTION_DAYS",
    "ZONES",
    "AccessPointConfig",
    "AlertsConfig",
    "AwsConfig",
    "BlockCalendar",
    "BudgetConfig",
    "ClusterConfig",
    "Conflict",
    "DatasetConfig",
    "EbsClassConfig",
    "EfsConfig",
    "GuardDutyConfig",
    "HealthCheckConfig",
    "LoadBalancerConfig",
    "LustreConfig",
    "LustreLinkConfig",
    "MonitoringConfig",
    "NetworkConfig",
    "NodeRepairConfig",
    "ObjectLockConfig",
    "PoolConfig",
    "PriorityConfig",
    "QuotaConfig",
    "RecoveryConfig",
    "RegistryConfig",
    "SchedulingConfig",
    "Section",
    "SecurityConfig",
    "SmokeTestConfig",
    "StackConfig",
    "StorageConfig",
    "Taint",
    "TeamConfig",
    "TrailConfig",
    "WarmPoolConfig",
    "WrongByItself",
    "not_allowed",
]
