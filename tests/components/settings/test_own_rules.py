"""What must hold within a section is asked of each that is made, also of one that no stack file says."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from components import rules, settings
from components.settings.section import Section

BLOCK = {"capacity": "capacity_block", "calendar": {"end": "2027-01-01T00:00:00Z"}}
RESERVED = {"capacity_reservation_id": "cr-0123456789abcdef0"}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"
UNVERIFIED = {"ai-datacenter/unverified": "true"}
TPU_POOL = {"machine_type": "ct5p-hightpu-4t", "topology": "2x2x1", "zone": "us-east5-a"}
TPU = {"project": "a-project", "region": "us-east5", "pools": {"v5p": TPU_POOL}}
ETL = {"pool": "cpu", "schedule": "@daily"}

# What breaks each rule, by section and rule.
BROKEN: dict[str, dict[str, dict[str, Any]]] = {
    "AlertsConfig": {"_somebody_hears": {}, "_once": {"emails": ("a@b.org", "a@b.org")}},
    "AwsConfig": {"_zones_of_its_region": {"region": "us-west-1", "allowedAccountIds": ("111122223333",)}},
    "BackupConfig": {
        "_limits": {
            "plans": {"daily": {"rules": {"day": {"retention_days": 7}}, "classes": ("critical",)}},
            "lock": {"min_retention_days": 30},
        }
    },
    "BackupCopyConfig": {"_cold": {"retention_days": 90, "cold_storage_days": 1}},
    "BackupLockConfig": {
        "_lock": {"min_retention_days": 7, "changeable_days": 3},
        "_compliance": {"min_retention_days": 7, "mode": "compliance"},
    },
    "BackupRuleConfig": {
        "_windows": {"retention_days": 7, "start_window_minutes": 700},
        "_continuous": {"retention_days": 36, "continuous": True},
        "_cold": {"retention_days": 90, "cold_storage_days": 1},
    },
    "BlockCalendar": {"_order_of_a_block": {"start": "2027-01-02T00:00:00Z", "end": "2027-01-01T00:00:00Z"}},
    "BudgetConfig": {"_budget_that_tells": {"monthly_usd": 1, "actual_percent": (), "forecast_percent": ()}},
    "ClusterConfig": {
        "_size": {"service_cidr": "172.20.0.0/28"},
        "_private": {"service_cidr": "100.64.0.0/16"},
        "_open_to_everyone": {"public_access_cidrs": ("0.0.0.0/0",)},
    },
    "DataPipelineConfig": {
        "_catalogue": {"catalogue": {}},
        "_reads_what_it_writes": {"etl": {**ETL, "sources": ("tokens/raw/",)}},
    },
    "DatasetConfig": {"_targets": {"kind": "s3", "class": "critical", "owner": "me"}},
    "DisruptionBudgetConfig": {"_times_of_a_budget": {"nodes": "1", "duration_minutes": 5}},
    "EbsClassConfig": {"_iops": {"type": "io2"}, "_throughput": {"type": "st1", "throughput_mib_s": 200}},
    "EfsConfig": {"_archive": {"archive_days": 30, "infrequent_days": 90}},
    "FailoverConfig": {"_time_of_a_name": {"ttl_s": 60}},
    "HealthCheckConfig": {"_in_time_for_the_next": {"timeout_s": 30, "interval_s": 15}},
    "KarpenterPoolConfig": {
        name: {"limits": {"cpus": 1000}, **pool}
        for name, pool in {
            "_some_type": {},
            "_not_for_gangs": {"instance_types": ("p5.48xlarge",)},
            "_of_one_kind": {"families": ("m7i", "g6")},
            "_room_for_a_node": {"families": ("m7i",), "limits": {"cpus": 1}},
            "_pods_of_the_types": {"instance_types": ("m7i.large",), "max_pods": 250},
            "_labels": {"families": ("m7i",), "labels": {"karpenter.sh/x": "y"}},
            "_unverified_for_good": {"families": ("m7i",), "labels": UNVERIFIED},
            "_checks_without_chips": {"families": ("g6",), "verified": True},
        }.items()
    },
    "LoadBalancerConfig": {
        "_zone_and_name": {"kind": "network", "domain_name": "a.example.org"},
        "_firewall": {"kind": "network", "waf": True},
        "_open_to_the_internet": {"kind": "network", "scheme": "internet_facing"},
        "_redirect_port": {
            "kind": "application", "domain_name": "a.example.org", "zone_id": "Z0123456789", "port": 80
        },
        "_health_check": {"kind": "application", "health_check": {"protocol": "tcp"}},
        "_idle_timeout": {"kind": "network", "idle_timeout_s": 1},
    },
    "LustreConfig": {
        name: {"zone": "us-east-1a", "capacity_gib": 2400, **system}
        for name, system in {
            "_capacity": {"deployment": "scratch_2", "capacity_gib": 2000},
            "_throughput": {},
            "_only_persistent": {"deployment": "scratch_2", "efa": True},
            "_backup_of_a_link": {"throughput_mb_s_per_tib": 125, "link": {}, "backup_retention_days": 1},
            "_steps_with_efa": {"throughput_mb_s_per_tib": 125, "efa": True},
        }.items()
    },
    "MigrationConfig": {
        "_one_source": {"prefix": "raw/"},
        "_destination": {"s3": {"bucket": "theirs", "region": "eu-west-1"}},
    },
    "MonitoringConfig": {"_type": {"instance_type": "p5.48xlarge"}},
    "NetworkConfig": {
        "_range": {"cidr": "10.0.0.0/28"},
        "_reserved_ranges": {"cidr": "10.0.0.0/16", "reserved_cidrs": ("10.0.1.0/24",)},
        "_zones_once": {"cidr": "10.0.0.0/16", "zones": ("a", "b", "b")},
        "_role_once": {"cidr": "10.0.0.0/16", "dedicated_subnets": ("storage", "storage")},
        "_services_without_endpoints": {
            "cidr": "10.0.0.0/16", "interface_endpoints": False, "endpoint_services": ("sts",)
        },
    },
    "PoolConfig": {
        name: {"instance_type": "m7i.large", "desired_size": 2, **pool}
        for name, pool in {
            "_sizes": {"min_size": 3},
            "_room_to_scale": {"autoscaled": True, "min_size": 2},
            "_capacity_of_the_type": {"capacity": "capacity_block"},
            "_block_without_reservation": {"instance_type": "p5.48xlarge", "capacity": "capacity_block"},
            "_spot_in_a_reservation": {"capacity": "spot", **RESERVED},
            "_group_without_zone": {"placement_group": True},
            "_group_against_a_reservation": {"placement_group": True, "zone": "us-east-1a", **RESERVED},
            "_more_than_is_reserved": {"reserved_nodes": 3},
            "_surge_beyond_the_reservation": {"update_strategy": "default", **RESERVED},
            "_adapters_of_the_type": {"efa_interfaces": 1},
            "_pods_of_the_type": {"max_pods": 500},
            "_unverified_for_good": {"labels": UNVERIFIED},
            "_checks_of_the_chips": {"instance_type": "trn1.32xlarge", "verified": True},
            "_calendar_without_block": {**BLOCK, "capacity": "on_demand"},
            "_nodes_of_a_block": {"instance_type": "p5.48xlarge", **BLOCK, **RESERVED},
            "_warm_pool": {"warm_pool": {"min_size": 1}},
        }.items()
    },
    "QuotaConfig": {"_nodes_or_chips": {}},
    "RecoveryConfig": {
        "_zones": {"region": "us-west-1", "cidr": "10.1.0.0/16"},
        "_range": {"region": "us-west-2", "cidr": "10.1.0.0/28"},
    },
    "S3SourceConfig": {"_key_of_the_region": {"bucket": "theirs", "region": "us-west-2", "kms_key_arn": KEY}},
    "SchedulingConfig": {
        "_namespaces": {"teams": {"kube-team": {"quotas": {"cpu": {"nodes": 1}}}}},
        "_priorities": {"priorities": {"high": {"value": 2_000_000_000}}},
        "_topology_of_kueue": {"topology": True},
    },
    "StorageConfig": {
        "_one_way_to_cheaper_tiers": {"data_infrequent_days": 30, "data_intelligent_tiering": True},
        "_expiry_before_the_lock": {"checkpoint_days": 1, "object_lock": {"days": 90}},
    },
    "TpuConfig": {
        "_ranges_apart": {**TPU, "nodes_cidr": "10.132.0.0/20"},
        "_ranges_private": {**TPU, "nodes_cidr": "11.0.0.0/20"},
        "_room_for_nodes": {**TPU, "nodes_cidr": "10.128.0.0/30"},
        "_room_for_pods": {**TPU, "pods_cidr": "10.132.0.0/26"},
        "_smoke_test": {**TPU, "smoke_test": {"pool": "v6e"}},
    },
    "TpuPoolConfig": {
        "_topology_of_the_type": {**TPU_POOL, "topology": "3x3"},
        "_reservation": {**TPU_POOL, "capacity": "reservation"},
        "_queued": {**TPU_POOL, "capacity": "spot", "queued": True},
        "_verified": {**TPU_POOL, "topology": "2x2x2", "verified": True},
        "_unverified_for_good": {**TPU_POOL, "labels": UNVERIFIED},
    },
}  # fmt: skip


def sections(section: type[Section] = Section) -> Iterator[type[Section]]:
    for inner in section.__subclasses__():
        yield inner
        yield from sections(inner)


RULES = [
    pytest.param(section, rule, id=f"{section.__name__}.{rule.__name__}")
    for section in sorted(sections(), key=lambda one: one.__name__)
    for rule in section.own_rules
]


@pytest.mark.parametrize(("section", "rule"), RULES)
def test_a_section_that_breaks_its_own_rule_is_refused_alone(
    section: type[Section], rule: Callable[[Any], Iterator[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = BROKEN[section.__name__][rule.__name__]
    with pytest.raises(ValidationError) as told:
        section.model_validate(values)
    with monkeypatch.context() as patch:
        patch.setattr(section, "own_rules", ())
        made = section.model_validate(values)  # nothing else is wrong with it
    expected = {(conflict.key, conflict.message) for conflict in rule(made)}
    said = [(one["loc"], one["msg"]) for one in told.value.errors()]
    assert expected
    for key, message in expected:
        assert any(loc == key and text.startswith(message) for loc, text in said)


def test_a_refusal_says_what_may_stand_there_instead() -> None:
    with pytest.raises(ValidationError, match=r"instance_types\.0\n.*section pools \(allowed: g5\.xlarge, "):
        settings.KarpenterPoolConfig.model_validate({"instance_types": ["p5.48xlarge"], "limits": {"cpus": 1000}})


def test_a_rule_of_a_section_in_another_is_told_with_its_whole_place() -> None:
    with pytest.raises(ValidationError) as told:
        settings.LoadBalancerConfig.model_validate({"kind": "network", "health_check": {"timeout_s": 60}})
    assert told.value.errors()[0]["loc"] == ("health_check", "timeout_s")


MODULES = [module for module in vars(rules).values() if isinstance(module, ModuleType)]


def fields(tree: ast.AST) -> set[str]:
    """What is asked of the stack's configuration; a helper that gets it all may ask for anything."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "config":
            found.add(node.attr)
        elif isinstance(node, ast.Call) and any(isinstance(one, ast.Name) and one.id == "config" for one in node.args):
            found |= {"anything", "else"}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_what_is_asked_of_one_section_only_is_no_rule_between_sections(module: ModuleType) -> None:
    for table in ("RULES", "POOL_RULES", "PLAN_RULES", "OF_MIGRATIONS"):
        for rule in getattr(module, table, ()):
            named = len(inspect.signature(rule).parameters) == 3
            if rule.__name__ == "_no_way_out":  # of a network with nodes, that is: with the rest of a stack
                continue
            assert len(fields(ast.parse(inspect.getsource(rule)))) >= (1 if named else 2), rule.__name__
