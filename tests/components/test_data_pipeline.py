"""Data comes verified and over few rights, is made into training data by the least of pods, and is told in a table."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from etl.config import EtlConfig
from etl.pipeline import run

from components.catalogue import COLUMNS
from components.config import load
from components.data_pipeline import DataPipeline, DataPipelineArgs
from components.etl_job import EtlJob, EtlJobArgs
from components.etl_pod import configuration, cron_job, data_access
from components.migration import EfsTarget, LustreTarget, MigrationArgs
from components.migration_access import bucket_access, trust
from components.outputs import DataPipelineOutputs
from components.settings import CatalogueConfig, EtlJobConfig, MigrationConfig, PoolConfig
from tests.workloads.etl.conftest import text_of

from .mocks import ACCOUNT, Cloud
from .mocks import run as run_program

ROOT = Path(__file__).resolve().parents[2]
ETL = EtlJobConfig(pool="cpu", schedule="@daily", tokenizer="tok/v1.json", cpus=3)
ROWS = CatalogueConfig()
NFS = "data-pipeline-crawl"
AGENT = "arn:aws:datasync:us-east-1:123456789012:agent/agent-0123456789abcdef0"
SOURCE = {"server": "nas", "path": "/export", "agent_arns": [AGENT]}
LUSTRE = LustreTarget(file_system_arn="arn:fast", security_group_arn="arn:group")


@cache
def declared() -> tuple[Cloud, dict[str, Any]]:
    """The shipped example's pipeline with what it needs, and no data centre around it."""
    config = load(ROOT / "Pulumi.prod.yaml")
    pipeline = config.data_pipeline
    assert pipeline
    assert pipeline.etl
    known: dict[str, Any] = {"bucket_name": "data", "bucket_arn": "arn:aws:s3:::data", "key_arn": "arn:key"}

    def declare() -> dict[str, Any]:
        place: dict[str, Any] = {"name": config.name, "region": config.aws.region}
        homes = EfsTarget(file_system_arn="arn:homes", vpc_id="vpc-1", subnet_id="subnet-a", security_group_id="sg-efs")
        args = DataPipelineArgs(
            **place, **known, account_id=ACCOUNT, config=pipeline, targets={"old-homes": homes}
        )  # fmt: skip
        job = EtlJobArgs(
            **known, **place, config=pipeline.etl or ETL, catalogue=pipeline.catalogue,
            pool=config.pools["cpu"], image="registry/train:1", cluster_name="dc", vpc_cidr="10.0.0.0/16",
        )  # fmt: skip
        EtlJob("etl", job)
        return DataPipeline("data-pipeline", args).outputs()

    return run_program(declare)


def of(kind: str) -> dict[str, dict[str, Any]]:
    return declared()[0].of(kind)


def tasks() -> dict[str, dict[str, Any]]:
    return of("aws:datasync/task:Task")


def policy(name: str) -> dict[str, dict[str, Any]]:
    """The statements of a role's policy, by what they are for."""
    document = json.loads(of("aws:iam/rolePolicy:RolePolicy")[name]["policy"])
    return {one["Sid"]: one for one in document["Statement"]}


def test_a_migration_that_runs_once_compares_everything_and_one_by_schedule_what_it_transferred() -> None:
    once, weekly = tasks()[f"{NFS}-task"], tasks()["data-pipeline-books-task"]
    assert (once["options"]["verifyMode"], once.get("schedule")) == ("POINT_IN_TIME_CONSISTENT", None)
    assert weekly["options"]["verifyMode"] == "ONLY_FILES_TRANSFERRED"
    assert weekly["schedule"] == {"scheduleExpression": "cron(0 1 ? * SUN *)"}


def test_a_task_has_its_limits_its_filters_and_a_report() -> None:
    task = tasks()[f"{NFS}-task"]
    assert task["options"]["bytesPerSecond"] == 250 * 1024 * 1024
    assert task["options"]["preserveDeletedFiles"] == "PRESERVE"
    assert task["excludes"]["value"] == "*.tmp|/scratch"
    assert task.get("includes") is None
    assert task["taskReportConfig"]["s3Destination"]["subdirectory"] == "datasync-reports/crawl/"
    assert tasks()["data-pipeline-old-homes-task"]["tags"]["ai-datacenter:dataset"] == "homes"


def test_each_task_joins_the_locations_that_the_stack_file_names() -> None:
    nfs, s3 = of("aws:datasync/nfsLocation:NfsLocation"), of("aws:datasync/s3Location:S3Location")
    assert (nfs[f"{NFS}-source"]["serverHostname"], nfs[f"{NFS}-source"]["subdirectory"]) == (
        "nas.corp.example.com",
        "/export/crawl",
    )
    assert s3[f"{NFS}-destination"]["subdirectory"] == "/raw/crawl/"
    books = s3["data-pipeline-books-source"]
    assert (books["region"], books["s3BucketArn"]) == ("us-west-2", "arn:aws:s3:::corp-books")
    assert tasks()[f"{NFS}-task"]["destinationLocationArn"].endswith(f"{NFS}-destination")


def test_datasync_may_write_one_prefix_and_read_one_source() -> None:
    bucket = policy(f"{NFS}-bucket-policy")
    assert bucket["Write"]["Resource"].endswith("/raw/crawl/*")
    assert bucket["Report"]["Resource"].endswith("/datasync-reports/crawl/*")
    assert "s3:DeleteObject" not in bucket["Report"]["Action"]
    source = policy("data-pipeline-books-source-policy")
    assert source["Read"]["Resource"] == "arn:aws:s3:::corp-books/text/*"
    assert source["Read"]["Condition"] == {"StringEquals": {"aws:ResourceAccount": "444455556666"}}
    assert not [action for one in source.values() for action in one["Action"] if "Put" in action or "Delete" in action]
    for statements in (bucket, source):
        assert "*" not in {one["Resource"] for one in statements.values()}


@pytest.mark.parametrize(
    ("config", "target", "told"),
    [
        ({"prefix": "raw/"}, None, "comes from nothing: give nfs or s3"),
        ({"nfs": SOURCE}, None, "says not where"),
        ({"nfs": SOURCE, "prefix": "raw/"}, LUSTRE, "of kind s3, which takes as its target none; it was given Lustre"),
        ({"nfs": SOURCE, "kind": "efs"}, LUSTRE, "takes as its target EfsTarget; it was given LustreTarget"),
        ({"nfs": SOURCE, "kind": "fsx"}, None, "takes as its target LustreTarget; it was given none"),
    ],
)
def test_a_migration_alone_is_refused_by_what_a_stack_file_s_rules_would_refuse(
    config: dict[str, Any], target: LustreTarget | None, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        MigrationArgs(
            name="dc", migration="crawl", region="us-east-1", account_id=ACCOUNT, bucket_arn="arn", key_arn="arn",
            log_group_arn="arn", config=MigrationConfig.model_validate(config), target=target,
        )  # fmt: skip


def test_a_migration_into_a_file_system_writes_reports_to_the_bucket_and_no_data() -> None:
    config = MigrationConfig.model_validate({"nfs": SOURCE, "kind": "efs"})
    found = bucket_access("homes", config, "us-east-1", ACCOUNT, "arn:aws:s3:::data", "arn:key")
    assert {one["Sid"] for one in found["Statement"]} == {"Report", "Key"}


def test_nobody_else_s_datasync_takes_the_roles() -> None:
    (statement,) = trust(ACCOUNT, ["us-east-1", "eu-west-1"])["Statement"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"] == [
        f"arn:aws:datasync:{region}:{ACCOUNT}:*" for region in ("eu-west-1", "us-east-1")
    ]


def test_datasync_reaches_efs_over_tls_by_nfs_and_nothing_reaches_it() -> None:
    (location,) = of("aws:datasync/efsLocation:EfsLocation").values()
    assert (location["inTransitEncryption"], location["subdirectory"]) == ("TLS1_2", "/research")
    assert location["fileSystemAccessRoleArn"].endswith("old-homes-files-role")
    ingress = of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    into = ingress["data-pipeline-old-homes-in-efs"]
    assert (into["securityGroupId"], into["fromPort"], into["toPort"]) == ("sg-efs", 2049, 2049)
    assert not [one for one in ingress.values() if one["securityGroupId"] == "data-pipeline-old-homes-group-id"]


def test_datasync_may_write_to_the_log_group_and_only_for_this_account() -> None:
    (found,) = of("aws:cloudwatch/logResourcePolicy:LogResourcePolicy").values()
    (statement,) = json.loads(found["policyDocument"])["Statement"]
    assert statement["Resource"].endswith("data-pipeline-logs:*")
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_the_job_runs_by_schedule_one_at_a_time_and_goes_on_after_a_failure() -> None:
    (job,) = of("kubernetes:batch/v1:CronJob").values()
    spec = job["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 6 * * SUN", "Etc/UTC", "Forbid")
    assert spec["startingDeadlineSeconds"] >= 60
    inner = spec["jobTemplate"]["spec"]
    assert (inner["backoffLimit"], inner["activeDeadlineSeconds"]) == (3, 86_400)
    assert inner["template"]["spec"]["nodeSelector"] == {"ai-datacenter/pool": "cpu"}


def test_its_pods_are_what_restricted_allows_in_a_namespace_that_insists_on_it() -> None:
    namespace = of("kubernetes:core/v1:Namespace")["etl-namespace"]["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (job,) = of("kubernetes:batch/v1:CronJob").values()
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_each_run_has_a_folder_of_its_own_and_a_configuration_that_etl_takes() -> None:
    told = configuration(ETL, ROWS, "data")
    assert told["output"] == "s3://data/tokens/$(ETL_RUN)"
    taken = EtlConfig.model_validate(told)
    assert (taken.sources, taken.workers, taken.tokenizer) == (("s3://data/raw",), 3, "s3://data/tok/v1.json")
    assert configuration(ETL, None, "data").keys() == told.keys() - {"catalogue"}
    pool = PoolConfig(instance_type="m7i.2xlarge", desired_size=1)
    template = cron_job(ETL, ROWS, pool, image="i", bucket="data")["job_template"]["spec"]["template"]
    run_name, config = template["spec"]["containers"][0]["env"]
    assert run_name["name"] == "ETL_RUN"  # before what names it
    assert "$(ETL_RUN)" in config["value"]


def test_its_pods_read_the_sources_and_write_the_runs_and_nothing_else() -> None:
    listing, read, runs, key, rows = data_access(ETL, ROWS, "arn:aws:s3:::data", "arn:key", "us-east-2")["Statement"]
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-2.amazonaws.com"}}
    assert listing["Condition"]["StringLike"]["s3:prefix"] == ["raw", "tokens/*"]
    assert (read["Action"], read["Resource"]) == (
        "s3:GetObject",
        ["arn:aws:s3:::data/raw/*", "arn:aws:s3:::data/tok/v1.json"],
    )
    assert runs["Resource"] == "arn:aws:s3:::data/tokens/*"
    assert (rows["Action"], rows["Resource"]) == ("s3:PutObject", "arn:aws:s3:::data/catalogue/*")


def test_the_table_is_where_the_rows_are_and_its_outputs_say_so() -> None:
    (table,) = of("aws:glue/catalogTable:CatalogTable").values()
    found = DataPipelineOutputs.model_validate({**declared()[1], "etl": None})
    assert found.catalogue
    assert table["storageDescriptor"]["location"] == found.catalogue.location_url
    assert (found.catalogue.database, found.catalogue.table) == ("aidc_prod", "runs")
    roles = {one.name: one.source_role_arn for one in found.migrations}
    assert roles["crawl"] is None
    assert (roles["books"] or "").endswith("books-source-role")


@pytest.fixture
def row(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "raw").mkdir()
    for seed in range(4):
        (tmp_path / "raw" / f"{seed}.txt").write_text(text_of(seed))
    (tmp_path / "raw" / "readme.md").write_text("x")
    where = {"sources": [f"{tmp_path}/raw"], "output": f"{tmp_path}/out", "catalogue": f"{tmp_path}/row.json"}
    run(EtlConfig.model_validate({**where, "vocabulary": 300, "workers": 1}), lambda line: None)
    return json.loads((tmp_path / "row.json").read_text())


def test_the_table_s_columns_are_what_etl_writes_in_a_row(row: dict[str, Any]) -> None:
    assert row.keys() == COLUMNS.keys()
    for name, (kind, _) in COLUMNS.items():
        assert fits(kind, row[name]), f"{name} is {row[name]!r}, and no {kind}"


def fits(kind: str, value: Any) -> bool:
    """Whether a value of JSON is of a type of Hive's, with all its fields and no others."""
    outer, _, inner = kind.removesuffix(">").partition("<")
    if outer == "struct":
        fields = dict(one.split(":", 1) for one in parts(inner))
        return value.keys() == fields.keys() and all(fits(fields[name], one) for name, one in value.items())
    if outer == "array":
        return isinstance(value, list) and bool(value) and all(fits(inner, one) for one in value)
    if outer == "map":
        return isinstance(value, dict) and all(fits(parts(inner)[1], one) for one in value.values())
    if outer == "string":
        return isinstance(value, str | dict)  # OpenX gives an object as text
    return isinstance(value, int | float if outer == "double" else int)


def parts(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    found, depth = [""], 0
    for letter in text:
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found
