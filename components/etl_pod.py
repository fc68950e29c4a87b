"""What the pods are that make training data: schedule, template and rights as plain values."""

from __future__ import annotations

import json
from typing import Any

from .key_access import through_s3
from .node_group import POOL_LABEL, taints
from .settings import CatalogueConfig, EtlJobConfig, PoolConfig

NAMESPACE = "data-pipeline"
NAME = "etl"
ACCOUNT = "etl"
LABELS = {"app.kubernetes.io/name": NAME}
_USER = 10_001  # of workloads/Dockerfile
_KEPT_JOBS = 3
# A run that could not begin for so long is left out. Without it a hundred missed ones end a schedule for good.
_STARTING_DEADLINE_S = 3600


def cron_job(
    etl: EtlJobConfig, catalogue: CatalogueConfig | None, pool: PoolConfig, *, image: str, bucket: str
) -> dict[str, Any]:
    """The CronJob's specification."""
    return {
        "schedule": etl.schedule,
        "time_zone": "Etc/UTC",
        "concurrency_policy": "Forbid",
        "starting_deadline_seconds": _STARTING_DEADLINE_S,
        "successful_jobs_history_limit": _KEPT_JOBS,
        "failed_jobs_history_limit": _KEPT_JOBS,
        "job_template": {
            "metadata": {"labels": LABELS},
            "spec": {
                # A pod that comes after a failed one goes on after its last good shard.
                "backoff_limit": etl.retries,
                "active_deadline_seconds": etl.timeout_s,
                "template": _template(etl, catalogue, pool, image, bucket),
            },
        },
    }


def _template(
    etl: EtlJobConfig,
    catalogue: CatalogueConfig | None,
    pool: PoolConfig,
    image: str,
    bucket: str,
) -> dict[str, Any]:
    return {
        "metadata": {"labels": LABELS},
        "spec": {
            "restart_policy": "Never",
            "service_account_name": ACCOUNT,
            "automount_service_account_token": False,
            "node_selector": {POOL_LABEL: etl.pool},
            "tolerations": [{"key": taint.key, "operator": "Exists", "effect": taint.effect} for taint in taints(pool)],
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": _USER,
                "run_as_group": _USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(etl, catalogue, image, bucket)],
        },
    }


def _container(etl: EtlJobConfig, catalogue: CatalogueConfig | None, image: str, bucket: str) -> dict[str, Any]:
    resources = {"cpu": str(etl.cpus), "memory": f"{etl.memory_gib}Gi"}
    run = {"field_ref": {"field_path": "metadata.labels['batch.kubernetes.io/job-name']"}}
    return {
        "name": NAME,
        "image": image,
        "command": ["python", "-m", "etl", "run"],
        "env": [
            {"name": "ETL_RUN", "value_from": run},
            {"name": "ETL_CONFIG", "value": json.dumps(configuration(etl, catalogue, bucket), sort_keys=True)},
        ],
        "resources": {"requests": resources, "limits": {"memory": resources["memory"]}},
        "security_context": {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}},
        "termination_message_policy": "FallbackToLogsOnError",
    }


def configuration(etl: EtlJobConfig, catalogue: CatalogueConfig | None, bucket: str) -> dict[str, Any]:
    """What a run is told. ``$(ETL_RUN)`` is its Job's name, which Kubernetes puts in.

    A folder for each run: etl goes on only with the sources that it began with, and these change between runs.
    """
    found: dict[str, Any] = {
        "sources": [f"s3://{bucket}/{source.rstrip('/')}" for source in etl.sources],
        "output": f"s3://{bucket}/{etl.output}$(ETL_RUN)",
        "vocabulary": etl.vocabulary,
        "shard_tokens": etl.shard_tokens,
        "workers": etl.cpus,
    }
    if etl.tokenizer:
        found["tokenizer"] = f"s3://{bucket}/{etl.tokenizer}"
    if catalogue:
        found["catalogue"] = f"s3://{bucket}/{catalogue.prefix}$(ETL_RUN).json"
    return found


def data_access(
    etl: EtlJobConfig, catalogue: CatalogueConfig | None, bucket_arn: str, key_arn: str, region: str
) -> dict[str, Any]:
    """Read the sources, and the tokenizer; read and write the runs; write the catalogue's rows. Nothing else."""
    read = [f"{bucket_arn}/{source}*" for source in etl.sources]
    if etl.tokenizer:
        read.append(f"{bucket_arn}/{etl.tokenizer}")
    # A source's names are listed without its last slash.
    prefixes = [*(source.rstrip("/") for source in etl.sources), f"{etl.output}*"]
    runs = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket_arn,
            "Condition": {"StringLike": {"s3:prefix": prefixes}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": read},
        {"Effect": "Allow", "Action": runs, "Resource": f"{bucket_arn}/{etl.output}*"},
        through_s3(["kms:Decrypt", "kms:GenerateDataKey"], key_arn, region),
    ]
    if catalogue:
        statements.append(
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{bucket_arn}/{catalogue.prefix}*"}
        )
    return {"Version": "2012-10-17", "Statement": statements}
