"""The data pipeline of generated stack files: transfers into places that are there, and a job where it can run."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.accelerators import CATALOGUE
from components.settings import PROJECT, REGIONS, RETENTION_DAYS

from .storage_strategies import NAMES, Values, some

AWS_SCHEDULES = st.sampled_from(["rate(1 hour)", "rate(7 days)", "cron(0 3 * * ? *)", "cron(5 4 ? JAN-MAR MON 2027)"])
KUBERNETES_SCHEDULES = st.sampled_from(["@daily", "0 3 * * *", "*/30 0-6 1,15 * *", "0 6 * * SUN"])


@st.composite
def sources(draw: st.DrawFn, region: str, accounts: list[str]) -> Values:
    """A server with an agent of the region, or a bucket of another region or account."""
    account = draw(st.sampled_from(accounts))
    if draw(st.booleans()):
        agent = f"arn:aws:datasync:{region}:{account}:agent/agent-0123456789abcdef0"
        return {"nfs": {"server": draw(st.sampled_from(["nas", "10.1.2.3", "nas.example.com"])), "path": "/export",
                        "agent_arns": [agent]}}  # fmt: skip
    there = draw(st.sampled_from(REGIONS))
    bucket: Values = {"bucket": "corp-data", "region": there} | some(draw, {"prefix": st.just("crawl/")})
    if there == region:
        bucket["account_id"] = next(id for id in ("0" * 12, "1" * 12, "2" * 12, "3" * 12) if id not in accounts)
    return {"s3": bucket | some(draw, {"kms_key_arn": st.just(f"arn:aws:kms:{there}:{account}:key/1")})}


@st.composite
def migrations(draw: st.DrawFn, number: int, values: Values, locked: bool) -> Values:
    """One into a place of its own."""
    systems = [(kind, name) for kind, key in (("fsx", "lustre"), ("efs", "efs"))
               for name in values.get(f"{PROJECT}:{key}", {})]  # fmt: skip
    kind, place = draw(st.sampled_from([*systems, *([] if locked else [("s3", "")])]))
    where: Values = {"prefix": f"raw/m{number}/"} if kind == "s3" else {"place": place, "path": f"/m{number}"}
    options = {
        "schedule": AWS_SCHEDULES,
        "bandwidth_mib_s": st.integers(1, 100_000),
        "include": st.lists(st.sampled_from(["/a", "/b/c*"]), max_size=2),
        "exclude": st.lists(st.sampled_from(["*.tmp", "/scratch"]), max_size=2),
    }
    return {
        **draw(sources(values["aws:region"], values["aws:allowedAccountIds"])),
        "kind": kind,
        **where,
        **some(draw, options),
    }


@st.composite
def jobs(draw: st.DrawFn, pool: str, row: Any) -> Values:
    """A job that leaves something of the pool's nodes."""
    options = {
        "cpus": st.integers(1, row.vcpus - 1),
        "memory_gib": st.integers(1, row.memory_gib - 1),
        "tokenizer": st.just("tokenizers/v1/tokenizer.json"),
        "output": st.sampled_from(["tokens/", "training/v2/"]),
        "sources": st.sampled_from([["raw/"], ["raw/m0/", "books/"]]),
        "timeout_s": st.integers(60, 2_592_000),
        "retries": st.integers(0, 10),
    }
    job = {"pool": pool, "schedule": draw(KUBERNETES_SCHEDULES), "memory_gib": 1, **some(draw, options)}
    return {"cpus": 1, **job}


@st.composite
def pipelines(draw: st.DrawFn, values: Values) -> Values:
    """The section for a stack file of these values; empty where nothing can be in it."""
    lock = values.get(f"{PROJECT}:storage", {}).get("object_lock", {})
    locked = "data" in lock.get("buckets", [])
    pipeline = some(draw, {"log_retention_days": st.sampled_from(RETENTION_DAYS)})
    if not locked or any(values.get(f"{PROJECT}:{key}") for key in ("efs", "lustre")):
        names = draw(st.lists(NAMES, max_size=3, unique=True))
        found = {name: draw(migrations(number, values, locked)) for number, name in enumerate(names)}
        pipeline["migrations"] = found
    rows = {name: CATALOGUE[pool["instance_type"]] for name, pool in values[f"{PROJECT}:pools"].items()}
    fitting = [name for name, row in rows.items() if not row.chips]
    if fitting and not locked and draw(st.booleans()):
        pool = draw(st.sampled_from(fitting))
        pipeline["etl"] = draw(jobs(pool, rows[pool]))
        pipeline |= some(draw, {"catalogue": st.just({})})
    return pipeline
