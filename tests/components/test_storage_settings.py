"""What a stack file may not ask of storage, and where the mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import Problem, load
from components.rules.datasets import promise
from components.settings import StackConfig

from .stack_files import problems

GOOD = """config:
  aws:region: us-east-1
  aws:allowedAccountIds: ["123456789012"]
  ai-datacenter:name: aidc-test
  ai-datacenter:network:
    cidr: 10.0.0.0/16
    zones: [us-east-1a, us-east-1b, us-east-1c]
  ai-datacenter:pools:
    cpu: {instance_type: m7i.large, desired_size: 2}
    gpu: {instance_type: p5.48xlarge, desired_size: 2, zone: us-east-1b}
  ai-datacenter:smoke_test: {pool: cpu}
  ai-datacenter:recovery: {region: us-west-2, cidr: 10.1.0.0/16, replication: {}}
"""
LINES = GOOD.count("\n")
SCRATCH = "  ai-datacenter:lustre:\n    fast: {deployment: scratch_2, capacity_gib: 1200, zone: us-east-1b}\n"
PERSISTENT = (
    "  ai-datacenter:lustre:\n"
    "    fast: {capacity_gib: 4800, throughput_mb_s_per_tib: 1000, zone: us-east-1b}\n"
)  # fmt: skip
EFS = "  ai-datacenter:efs:\n    homes: {}\n"


def taken(folder: Path, more: str) -> StackConfig:
    file = folder / "Pulumi.test.yaml"
    file.write_text(GOOD + more)
    return load(file)


def refused(folder: Path, more: str) -> tuple[Problem, ...]:
    return problems(folder, GOOD + more)


def dataset(text: str, systems: str = "") -> str:
    return f"{systems}  ai-datacenter:storage:\n    datasets:\n      tokens: {{{text}}}\n"


def lustre(*parts: str) -> str:
    return f"  ai-datacenter:lustre:\n    fast: {{{', '.join(parts)}}}\n"


BASE = ("capacity_gib: 4800", "throughput_mb_s_per_tib: 1000", "zone: us-east-1b")


def test_a_small_stack_has_no_file_system_no_disks_and_no_lock(tmp_path: Path) -> None:
    config = taken(tmp_path, "")
    assert (config.lustre, config.efs, config.ebs) == ({}, {}, {})
    assert (config.storage.object_lock, config.storage.datasets) == (None, {})


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("kind: s3, class: critical, owner: data, rpo_minutes: 14, rto_minutes: 60", "rpo_minutes",
         "14 minutes is less than s3 can promise (15): S3 Replication Time Control takes up to 15 minutes"),
        ("kind: s3, class: critical, owner: data", "class", "needs rpo_minutes and rto_minutes"),
        ("kind: s3, place: dta, class: scratch, owner: data", "place", "there is no bucket dta"),
        ("kind: efs, class: scratch, owner: data", "kind", "there is no file system under efs"),
        ("kind: fsx, class: scratch, owner: data", "kind", "there is no file system under lustre"),
        ("kind: s3, class: criticl, owner: data", "class", '"critical"'),
        ("kind: s3, class: scratch, owner: 'a,b'", "owner", "does not match"),
        ("kind: s3, class: scratch, owner: data, rpo_minutes: -1", "rpo_minutes", "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_a_dataset_that_cannot_be_is_refused(tmp_path: Path, text: str, key: str, reason: str) -> None:
    (problem,) = refused(tmp_path, dataset(text))
    assert problem.key == f"ai-datacenter:storage.datasets.tokens.{key}"
    assert reason in str(problem)
    assert problem.line == LINES + 3


@pytest.mark.parametrize(
    ("kind", "systems", "minutes", "reason"),
    [
        ("efs", EFS, 14, "EFS replication takes up to 15 minutes"),
        ("fsx", PERSISTENT, 59, "backups, which run every 60 minutes at best"),
        ("fsx", lustre(*BASE, "link: {}"), 14, "replicated by the bucket, within 15 minutes"),
        ("fsx", SCRATCH, 525_600, "a scratch file system keeps one copy"),
        ("fsx", lustre(*BASE, "link: {export_events: [new]}"), 525_600, "does not export what is new and changed"),
    ],
)
def test_a_recovery_point_that_nothing_can_promise_is_refused(
    tmp_path: Path, kind: str, systems: str, minutes: int, reason: str
) -> None:
    (problem,) = refused(
        tmp_path, dataset(f"kind: {kind}, class: reproducible, owner: ml, rpo_minutes: {minutes}", systems)
    )
    assert problem.key == "ai-datacenter:storage.datasets.tokens.rpo_minutes"
    assert reason in problem.message


@pytest.mark.parametrize(
    ("kind", "systems", "minutes"),
    [("s3", "", 15), ("efs", EFS, 15), ("fsx", PERSISTENT, 60), ("fsx", lustre(*BASE, "link: {}"), 15)],
)
def test_the_least_that_is_promised_is_taken(tmp_path: Path, kind: str, systems: str, minutes: int) -> None:
    text = dataset(f"kind: {kind}, class: critical, owner: ml, rpo_minutes: {minutes}, rto_minutes: 60", systems)
    config = taken(tmp_path, text)
    assert promise(config.storage.datasets["tokens"], config)[0] == minutes


@pytest.mark.parametrize(
    ("kind", "systems", "replication", "place"),
    [
        ("s3", "", None, "data"),
        ("s3", "", "{buckets: [checkpoints]}", "data"),
        ("efs", EFS, "{file_systems: []}", "homes"),
        ("fsx", lustre(*BASE, "link: {bucket: checkpoints}"), "{buckets: [data]}", "fast"),
    ],
)
def test_what_has_no_copy_in_another_region_is_promised_nothing(
    tmp_path: Path, kind: str, systems: str, replication: str | None, place: str
) -> None:
    without = GOOD.replace(", replication: {}", f", replication: {replication}" if replication else "")
    text = dataset(f"kind: {kind}, class: important, owner: ml, rpo_minutes: 600, rto_minutes: 60", systems)
    (problem,) = problems(tmp_path, without + text)
    assert problem.message.startswith(f"nothing can promise a recovery point in {place}: a loss of us-east-1 takes all")


def test_critical_data_may_not_lie_where_a_loss_takes_all(tmp_path: Path) -> None:
    found = refused(tmp_path, dataset("kind: fsx, class: critical, owner: ml", SCRATCH))
    assert "critical data cannot lie in fast" in " ".join(problem.message for problem in found)


def test_of_several_file_systems_one_is_named(tmp_path: Path) -> None:
    two = "  ai-datacenter:efs:\n    homes: {}\n    code: {}\n"
    (problem,) = refused(tmp_path, dataset("kind: efs, class: scratch, owner: ml", two))
    assert problem.allowed == ("homes", "code")
    (problem,) = refused(tmp_path, dataset("kind: efs, place: home, class: scratch, owner: ml", two))
    assert problem.nearest == "homes"


@pytest.mark.parametrize(
    ("parts", "key", "reason"),
    [
        (("capacity_gib: 3600", *BASE[1:]), "capacity_gib", "3600 GiB is sold by nobody: 1200 or a multiple of 2400"),
        (("capacity_gib: 1199", *BASE[1:]), "capacity_gib", "1200"),
        ((BASE[0], "throughput_mb_s_per_tib: 200", BASE[2]), "throughput_mb_s_per_tib", "125, 250, 500, 1000"),
        ((BASE[0], BASE[2]), "deployment", "needs a throughput_mb_s_per_tib"),
        ((*BASE, "deployment: scratch_2"), "throughput_mb_s_per_tib", "no choice"),
        ((BASE[0], BASE[2], "deployment: scratch_2", "backup_retention_days: 7"), "backup_retention_days",
         "no backups of scratch"),
        ((BASE[0], BASE[2], "deployment: scratch_2", "metadata_iops: 1500"), "metadata_iops", "scratch_2 has no"),
        ((BASE[0], BASE[2], "deployment: scratch_2", "efa: true"), "efa", "persistent_2 only"),
        ((*BASE, "backup_retention_days: 91"), "backup_retention_days", "less than or equal to 90"),
        ((*BASE, "backup_retention_days: 1", "link: {}"), "backup_retention_days", "linked to a bucket"),
        ((*BASE, "metadata_iops: 2000"), "metadata_iops", "1500, 3000, 6000, 12000"),
        (("capacity_gib: 7200", *BASE[1:], "efa: true"), "capacity_gib", "multiple of 4800"),
        ((*BASE[:2], "zone: us-east-1f"), "zone", "us-east-1f is not among network.zones"),
        ((*BASE[:2], "zone: us-east-1a"), "zone", "no accelerator pool is in us-east-1a"),
        ((*BASE, "link: {prefix: tokens}"), "link.prefix", "does not match"),
        ((*BASE, "link: {import_events: [moved]}"), "link.import_events.0", "new, changed, deleted"),
    ],
)  # fmt: skip
def test_a_lustre_file_system_that_cannot_be_is_refused(
    tmp_path: Path, parts: tuple[str, ...], key: str, reason: str
) -> None:
    (problem,) = refused(tmp_path, lustre(*parts))
    assert problem.key == f"ai-datacenter:lustre.fast.{key}"
    assert reason in str(problem)
    assert problem.line == LINES + 2


def test_a_file_system_with_efa_needs_nodes_that_have_it_in_its_zone(tmp_path: Path) -> None:
    taken(tmp_path, lustre(*BASE, "efa: true"))
    found = refused(tmp_path, lustre(*BASE, "efa: true").replace("us-east-1b", "us-east-1c"))
    assert any("EFA does not leave a zone" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("archive_days: 30", "archive_days", "must be more than until infrequent access, which is after 30 days"),
        ("archive_days: 90, throughput: bursting", "archive_days", "elastic throughput only"),
        ("infrequent_days: 31", "infrequent_days", "1, 7, 14, 30"),
        ("access_points: {home: {path: home}}", "access_points.home.path", "does not match"),
        ("access_points: {home: {path: /home, uid: 0}}", "access_points.home.uid", "greater than or equal to 1"),
    ],
)
def test_an_efs_file_system_that_cannot_be_is_refused(tmp_path: Path, text: str, key: str, reason: str) -> None:
    (problem,) = refused(tmp_path, f"  ai-datacenter:efs:\n    homes: {{{text}}}\n")
    assert problem.key == f"ai-datacenter:efs.homes.{key}"
    assert reason in str(problem)


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("type: io2", "type", "io2 needs iops"),
        ("type: st1, iops: 500", "iops", "its size decides"),
        ("type: gp3, iops: 100", "iops", "gp3 has 3000 to 80000, not 100"),
        ("type: io2, iops: 1000, throughput_mib_s: 500", "throughput_mib_s", "only gp3 sells throughput"),
        ("throughput_mib_s: 1000", "throughput_mib_s", "1000 MiB/s needs 4000 iops, not 3000"),
        ("type: gp2", "type", "gp3, io2, st1, sc1"),
    ],
)
def test_a_class_of_disks_that_cannot_be_is_refused(tmp_path: Path, text: str, key: str, reason: str) -> None:
    (problem,) = refused(tmp_path, f"  ai-datacenter:ebs:\n    fast: {{{text}}}\n")
    assert problem.key == f"ai-datacenter:ebs.fast.{key}"
    assert reason in str(problem)


def test_only_one_class_of_disks_is_the_default(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "  ai-datacenter:ebs:\n    one: {default: true}\n    two: {default: true}\n")
    assert (problem.key, problem.line) == ("ai-datacenter:ebs.two.default", LINES + 3)


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("{data_infrequent_days: 30, data_intelligent_tiering: true}", "data_infrequent_days", "keep"),
        ("{checkpoint_days: 7, noncurrent_days: 7, object_lock: {days: 15}}", "checkpoint_days", "gone after 14 days"),
        ("{object_lock: {days: 36501}}", "object_lock.days", "less than or equal to 36500"),
        ("{object_lock: {days: 1, buckets: [logs]}}", "object_lock.buckets.0", "data, checkpoints"),
    ],
)
def test_buckets_that_contradict_themselves_are_refused(tmp_path: Path, text: str, key: str, reason: str) -> None:
    (problem,) = refused(tmp_path, f"  ai-datacenter:storage: {text}\n")
    assert problem.key == f"ai-datacenter:storage.{key}"
    assert reason in str(problem)


def test_a_lock_that_nobody_can_lift_does_not_go_with_a_stack_that_leaves_nothing(tmp_path: Path) -> None:
    locked = "  ai-datacenter:storage: {object_lock: {mode: compliance, days: 5}}\n"
    taken(tmp_path, locked)
    (problem,) = refused(tmp_path, f"{locked}  ai-datacenter:retain_data: false\n")
    assert problem.key == "ai-datacenter:storage.object_lock.mode"


def test_a_bucket_has_no_more_datasets_than_tags(tmp_path: Path) -> None:
    tags = "".join(f"    tag-{number}: x\n" for number in range(30))
    datasets = "".join(f"      set-{number}: {{kind: s3, class: scratch, owner: ml}}\n" for number in range(18))
    text = f"  ai-datacenter:tags:\n{tags}  ai-datacenter:storage:\n    datasets:\n{datasets}"
    (problem,) = refused(tmp_path, text)
    assert "18 of them lie in data" in problem.message
    taken(tmp_path, text.replace("    tag-0: x\n", ""))


def test_a_rule_is_silent_where_a_value_is_wrong_by_itself(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, lustre("capacity_gib: no", *BASE[1:], "efa: true"))
    assert problem.key == "ai-datacenter:lustre.fast.capacity_gib"
