"""Where data may come from and go to, and where training data may be made: told with place and reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.config import load
from components.settings import MigrationConfig, S3SourceConfig

from ..stack_files import GOOD, problems

AGENT = "arn:aws:datasync:us-east-1:123456789012:agent/agent-0123456789abcdef0"
NFS = f'nfs: {{server: nas, path: /export, agent_arns: ["{AGENT}"]}}'
S3 = "s3: {bucket: books, region: eu-west-1}"
ETL = "    etl: {pool: cpu, schedule: 0 3 * * *}\n"
FILES = """  ai-datacenter:efs:
    homes: {}
    code: {}
"""
LUSTRE = """  ai-datacenter:lustre:
    fast: {deployment: scratch_2, capacity_gib: 1200, zone: us-east-1b, link: LINK}
"""
DATASETS = """  ai-datacenter:storage:
    datasets:
      raw: {kind: s3, class: scratch, owner: data}
      models: {kind: s3, place: checkpoints, class: scratch, owner: data}
"""
LOCKED = "  ai-datacenter:storage: {object_lock: {days: 7, buckets: [data]}}\n"


def migrations(*lines: str) -> str:
    named = "".join(f"      m{index}: {{{line}}}\n" for index, line in enumerate(lines))
    return f"    migrations:\n{named}"


def text(pipeline: str, before: str = "") -> str:
    return f"{GOOD}{before}  ai-datacenter:data_pipeline:\n{pipeline}"


def told(tmp_path: Path, pipeline: str, before: str = "") -> tuple[str, str]:
    (problem,) = problems(tmp_path, text(pipeline, before))
    return problem.key.removeprefix("ai-datacenter:data_pipeline."), f"{problem.message} {problem.allowed}"


def taken(tmp_path: Path, pipeline: str, before: str = "") -> Any:
    (tmp_path / "Pulumi.test.yaml").write_text(text(pipeline, before))
    return load(tmp_path / "Pulumi.test.yaml").data_pipeline


def test_a_stack_file_without_the_section_has_no_pipeline(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(GOOD)
    assert load(tmp_path / "Pulumi.test.yaml").data_pipeline is None


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        ("prefix: raw/", "", "comes from nothing: give nfs or s3"),
        (f"{NFS}, {S3}, prefix: raw/", "", "comes from two places"),
        (NFS.replace("us-east-1", "us-east-2") + ", prefix: raw/", ".nfs.agent_arns", "activated in us-east-2"),
        (NFS.replace("123456789012", "999999999999") + ", prefix: raw/", ".nfs.agent_arns", "of account 999999999999"),
        (S3.replace("eu-west-1", "us-east-1") + ", prefix: raw/", ".s3.region", "is the stack's own region"),
        (
            S3.replace("eu-west-1", "us-east-1, account_id: '123456789012'") + ", prefix: raw/",
            ".s3.region",
            "of no other account",
        ),
        (
            S3.replace("}", ", kms_key_arn: 'arn:aws:kms:us-east-1:123456789012:key/1'}") + ", prefix: raw/",
            ".s3.kms_key_arn",
            "a key of us-east-1",
        ),
        (NFS, "", "says not where: give a prefix"),
        (f"{NFS}, prefix: raw/, path: /x", ".path", "is for file systems"),
        (f"{NFS}, prefix: raw/, place: homes", ".place", "is for file systems"),
        (f"{NFS}, kind: efs, place: homes, prefix: raw/", ".prefix", "is for the data bucket"),
        (f"{NFS}, kind: efs, place: home", ".place", "there is no file system home under efs ('homes', 'code')"),
        (f"{NFS}, kind: efs", ".kind", "there are 2 file systems under efs"),
        (f"{NFS}, kind: fsx", ".kind", "there is no file system under lustre"),
        (f"{NFS}, prefix: raw/, dataset: row", ".dataset", "there is no dataset row"),
        (f"{NFS}, prefix: playbooks/x/", ".prefix", "overlaps playbooks/, which the nodes' configuration writes"),
        (f"{NFS}, prefix: smoke-test/", ".prefix", "overlaps smoke-test/, which the smoke test writes"),
        (f"{NFS}, prefix: datasync-reports/", ".prefix", "which DataSync's reports writes"),
        (f"{NFS}, prefix: /raw/", ".prefix", "does not match"),
        (f"{NFS}, prefix: a/../b/", ".prefix", "does not match"),
        (f"{NFS}, prefix: raw/, include: ['*.txt']", ".include.0", "does not match"),
        (f"{NFS}, prefix: raw/, exclude: ['/a|/b']", ".exclude.0", "does not match"),
        (f"{NFS}, prefix: raw/, schedule: 0 3 * * *", ".schedule", "it is neither"),
        (f"{NFS}, prefix: raw/, bandwidth_mib_s: 0", ".bandwidth_mib_s", "greater than or equal to 1"),
    ],
)
def test_a_migration_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, line: str, key: str, reason: str
) -> None:
    found = told(tmp_path, migrations(line), FILES)
    assert found[0] == f"migrations.m0{key}"
    assert reason in found[1]


def test_two_migrations_into_one_place_are_refused_and_told_by_the_later_one(tmp_path: Path) -> None:
    key, message = told(tmp_path, migrations(f"{NFS}, prefix: raw/", f"{S3}, prefix: raw/books/"))
    assert key == "migrations.m1.prefix"
    assert "raw/books/ overlaps raw/, which migration m0 writes" in message
    both = migrations(f"{NFS}, kind: efs, place: homes, path: /a", f"{S3}, kind: efs, place: homes")
    assert "/ overlaps /a" in told(tmp_path, both, FILES)[1]
    apart = migrations(f"{NFS}, kind: efs, place: homes", f"{S3}, kind: efs, place: code", f"{S3}, prefix: raw/")
    assert len(taken(tmp_path, apart, FILES).migrations) == 3
    assert len(taken(tmp_path, migrations(f"{NFS}, prefix: raw/a/", f"{S3}, prefix: raw/ab/")).migrations) == 2


def with_lustre(pipeline: str, link: str) -> str:
    plain = "  ai-datacenter:network:\n    cidr: 10.0.0.0/16\n"
    zones = f"{plain}    zones: [us-east-1a, us-east-1b, us-east-1c]\n"
    return text(pipeline, LUSTRE.replace("LINK", link)).replace(plain, zones)


def test_nothing_comes_among_checkpoints(tmp_path: Path) -> None:
    link = "{bucket: checkpoints, path: /ckpt}"
    (problem,) = problems(tmp_path, with_lustre(migrations(f"{NFS}, kind: fsx, path: /ckpt/x"), link))
    assert "exports to the checkpoint bucket" in problem.message
    (tmp_path / "Pulumi.test.yaml").write_text(with_lustre(migrations(f"{NFS}, kind: fsx, path: /raw"), link))
    assert load(tmp_path / "Pulumi.test.yaml").data_pipeline


def test_what_lustre_exports_to_the_data_bucket_has_one_writer_too(tmp_path: Path) -> None:
    link = "{prefix: tokens/, path: /data}"
    for path in ("/", "/data", "/data/etl-1"):
        pipeline = migrations(f"{NFS}, kind: fsx, path: {path}") + ETL
        (problem,) = problems(tmp_path, with_lustre(pipeline, link))
        assert "which migration m0, by Lustre's link, writes" in problem.message
    silent = "{prefix: tokens/, path: /data, export_events: []}"
    (tmp_path / "Pulumi.test.yaml").write_text(with_lustre(migrations(f"{NFS}, kind: fsx, path: /data") + ETL, silent))
    assert load(tmp_path / "Pulumi.test.yaml").data_pipeline


def test_nothing_is_written_into_a_locked_bucket(tmp_path: Path) -> None:
    assert "the data bucket is locked" in told(tmp_path, migrations(f"{NFS}, prefix: raw/"), LOCKED)[1]
    assert "the data bucket is locked" in told(tmp_path, ETL, LOCKED)[1]


def test_a_dataset_lies_where_it_is_filled(tmp_path: Path) -> None:
    key, message = told(tmp_path, migrations(f"{NFS}, prefix: raw/, dataset: models"), DATASETS)
    assert key == "migrations.m0.dataset"
    assert "models lies in checkpoints (s3), and not in data (s3) ('raw',)" in message
    assert taken(tmp_path, migrations(f"{NFS}, prefix: raw/, dataset: raw"), DATASETS)
    assert "no dataset tokens" in told(tmp_path, ETL.replace("}", ", dataset: tokens}"), DATASETS)[1]


POOLS = """    gpu: {instance_type: g6.xlarge, desired_size: 1}
    none: {instance_type: m7i.large, desired_size: 0}
    cpu:
"""
GPU = GOOD.replace("    cpu:\n", POOLS)


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ("pool: cpus", "etl.pool", "there is no pool cpus ('cpu',)"),
        ("pool: gpu", "etl.pool", "without using one ('cpu',)"),
        ("pool: none", "etl.pool", "has no nodes (desired_size 0)"),
        ("pool: cpu, cpus: 2", "etl.cpus", "2 leaves nothing of a node of m7i.large"),
        ("pool: cpu, memory_gib: 8", "etl.memory_gib", "8 leaves nothing of a node"),
        ("pool: cpu, output: raw/tokens/", "etl", "raw/ overlaps raw/tokens/, which etl writes"),
        ("pool: cpu, sources: [./]", "etl.sources.0", "does not match"),
        ("pool: cpu, tokenizer: 's3://x/t.json'", "etl.tokenizer", "does not match"),
        ("pool: cpu, output: playbooks/", "etl", "overlaps playbooks/"),
    ],
)
def test_a_job_that_cannot_run_is_refused_with_its_reason(tmp_path: Path, change: str, key: str, reason: str) -> None:
    pipeline = f"  ai-datacenter:data_pipeline:\n{ETL.replace('pool: cpu', change)}"
    (problem,) = problems(tmp_path, GPU + pipeline)
    assert problem.key == f"ai-datacenter:data_pipeline.{key}"
    assert reason in f"{problem.message} {problem.allowed}"


def test_kubernetes_and_aws_schedules_are_not_taken_for_each_other(tmp_path: Path) -> None:
    key, message = told(tmp_path, ETL.replace("0 3 * * *", '"cron(0 3 * * ? *)"'))
    assert key == "etl.schedule"
    assert "that is AWS' syntax" in message


def test_a_catalogue_of_no_runs_or_among_them_is_refused(tmp_path: Path) -> None:
    assert "there is no etl" in told(tmp_path, "    catalogue: {}\n")[1]
    among = ETL + "    catalogue: {prefix: tokens/rows/}\n"
    assert "tokens/rows/ overlaps tokens/, which etl writes" in told(tmp_path, among)[1]
    assert taken(tmp_path, ETL + "    catalogue: {}\n").catalogue.prefix == "catalogue/"


def test_everything_is_compared_after_a_migration_that_runs_once_and_not_by_schedule() -> None:
    source = S3SourceConfig(bucket="theirs", region="eu-west-1")
    once = MigrationConfig(s3=source, prefix="raw/")
    assert once.verify_mode == "POINT_IN_TIME_CONSISTENT"
    daily = MigrationConfig(s3=source, prefix="raw/", schedule="rate(1 day)")
    assert daily.verify_mode == "ONLY_FILES_TRANSFERRED"
