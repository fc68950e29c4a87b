#!/usr/bin/python3
"""The smoke tests' verdicts as metrics for the node exporter: `smoke_test_metrics.py BUCKET FILE KEY...`.

Each key is that of a job which tests what is declared now: where there is no such object, it has not been proved yet.
The file is written whole or not at all; of a verdict that cannot be read it keeps what it had, and tells its age.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

READ = "smoke_test_read_timestamp_seconds"


@functools.cache
def s3() -> Any:
    """The client; it takes longer to make than to ask."""
    import boto3
    from botocore.config import Config

    endpoint = os.environ.get("AWS_ENDPOINT_URL")  # botocore reads it from 1.31 on, and bookworm's is older
    config = Config(
        # The next look is in a minute, and the unit ends this one before: botocore's own would try five times.
        connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"} if endpoint else {},
    )  # fmt: skip
    return boto3.client("s3", endpoint_url=endpoint, config=config)


def read(bucket: str, key: str) -> dict[str, Any] | None:
    """The verdict; None where no job has stored one."""
    from botocore.exceptions import ClientError

    try:
        found = s3().get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchKey":
            return None
        raise
    return json.load(found["Body"])


def text(job: str, verdict: dict[str, Any] | None, now: float) -> str:
    """The exposition format; nodes are ``tested_node``, for ``node`` is the label of the machine that is asked."""
    labels = {"job_name": job}
    lines = [
        *sample("smoke_test_found", labels, verdict is not None),
        *sample(READ, labels, now),
    ]
    if verdict is None:
        return "\n".join(lines) + "\n"
    finished = datetime.fromisoformat(verdict["finished_at"]).timestamp()
    lines += sample("smoke_test_passed", labels, verdict["passed"] is True)
    lines += sample("smoke_test_finished_timestamp_seconds", labels, finished)
    lines += measured("smoke_test_tokens_per_second", labels, verdict["tokens_per_s"])
    lines += measured("smoke_test_first_step_seconds", labels, verdict["first_step_s"])
    lines += measured("smoke_test_step_seconds", {**labels, "quantile": "0.5"}, verdict["step_time_p50_s"])
    lines += measured("smoke_test_step_seconds", {**labels, "quantile": "0.95"}, verdict["step_time_p95_s"])
    for row in verdict.get("node_checks") or []:
        of_node = {**labels, "tested_node": row["node"]}
        lines += sample("smoke_test_node_healthy", of_node, row["health"] == "PASS")
        if row.get("slower") is not None:
            lines += sample("smoke_test_node_slower_ratio", of_node, row["slower"])
    return "\n".join(lines) + "\n"


def measured(name: str, labels: dict[str, str], value: float | None) -> list[str]:
    """One line of a gauge; none of what a job that ended early never measured, for which older jobs wrote 0."""
    return sample(name, labels, value) if value else []


def sample(name: str, labels: dict[str, str], value: float) -> list[str]:
    """One line of a gauge."""
    told = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
    return [f"{name}{{{told}}} {float(value):.15g}"]


def escaped(label: str) -> str:
    """A label's value as the format has it."""
    return str(label).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write(file: Path, content: str) -> None:
    """Put the file there in one step; the exporter reads files that end in .prom."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w") as opened:
            opened.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except OSError:
        Path(temporary).unlink()
        raise


def main(bucket: str, file: str, *keys: str) -> int:
    """The exit status."""
    path, jobs = Path(file), {Path(key).parent.name: key for key in keys}
    try:
        last = {job: kept(path, job) for job in jobs}
        write(path, in_order(last))  # so that the first look has an age too, even if it is killed
        found = {job: told(bucket, key, job) for job, key in jobs.items()}
        write(path, in_order({job: found[job] or last[job] for job in jobs}))
    except OSError as error:
        print(f"{file} cannot be written: {error}; the node exporter's package makes the folder", file=sys.stderr)
        return 1
    return 0 if all(found.values()) else 1


def kept(file: Path, job: str) -> str:
    """What the file has of a job; where that is nothing, that it is looked for from now on."""
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    of_job = [line for line in lines if line.partition("{")[2].startswith(f'job_name="{escaped(job)}"')]
    return "\n".join(of_job or sample(READ, {"job_name": job}, time.time())) + "\n"


def in_order(jobs: dict[str, str]) -> str:
    """The metrics of all jobs: the format has the lines of a metric together."""
    return "".join(sorted(line for text in jobs.values() for line in text.splitlines(keepends=True)))


def told(bucket: str, key: str, job: str) -> str | None:
    """The metrics; None where the verdict cannot be read."""
    try:
        return text(job, read(bucket, key), time.time())
    except Exception as error:  # whatever it is, the next look may succeed, and the journal has the reason
        print(f"the verdict of {job} cannot be read: {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
