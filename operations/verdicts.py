"""What a smoke test's job stored in its bucket: the rows of one that failed, which no output has, and the curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local import moto
from local.engine.events import Result
from local.engine.store import ResourceState
from local.provider import ProviderError
from operations.session import open_store
from operations.summary import verdict_lines
from operations.workplace import Workplace

if TYPE_CHECKING:
    from components.outputs import Verdict

_JOB = "kubernetes:batch/v1:Job"
_REGION = "us-east-1"  # moto finds a bucket by its name from any region


@dataclass(frozen=True)
class Job:
    """A smoke test's job as the state has it.

    Attributes:
        verdict_uri: where its process 0 stores the verdict, whether it passes or not.
        made: when the API server made it; what was stored before is another's.
        failure: why it failed; empty where it did not.
        told: when that became known, as ISO 8601; empty where the state does not say.
    """

    urn: str
    name: str
    verdict_uri: str
    made: datetime
    failure: str
    told: str


def of_failed_job(place: Workplace, result: Result | None = None) -> Mapping[str, Any] | None:
    """The verdict of a job that failed, with its rows where it lived to store them; else with its reason alone.

    Args:
        result: a run, if only its own failure is asked for.
    """
    urns = {error.urn for error in result.errors} if result is not None else None
    if urns == set():
        return None  # without a look at the state
    failed = [job for job in _jobs(place) if job.failure and (urns is None or job.urn in urns)]
    if not failed:
        return None
    job = failed[0]
    verdict = stored(place, job)
    if verdict is None or verdict.passed:
        verdict = _of_nothing(job)
    return as_data(verdict)


def _of_nothing(job: Job) -> Verdict:
    """The verdict of a job that did not live to store one: nothing was measured, and its failure is the reason."""
    from components.outputs import Verdict  # pydantic takes a while to import

    return Verdict(
        passed=False, reason=job.failure, job=job.name, processes=0, devices=0, device_kind="", nodes=(),
        loss_first=0, loss_last=0, steps=0, first_step_s=0, tokens_per_s=0, step_time_p50_s=0, step_time_p95_s=0,
        collective_time_s=0, resumed_from_step=None, checkpoint=None, started_at="", finished_at=job.told,
    )  # fmt: skip


def of_job(place: Workplace, name: str) -> Verdict | None:
    """What the job of that name stored, curves included; None where that is not known any more."""
    found = next((job for job in _jobs(place) if job.name == name), None)
    return stored(place, found) if found else None


def as_data(verdict: Verdict) -> dict[str, Any]:
    """As plain values, curves included, where there are any."""
    curves = {"series": verdict.series.model_dump(mode="json")} if verdict.series else {}
    return {**verdict.model_dump(mode="json"), **curves}


def tell_failed(place: Workplace, result: Result | None = None) -> None:
    """Show the verdict of a job that failed, beside the run's own words."""
    if verdict := of_failed_job(place, result):
        place.tell("\n".join(verdict_lines(verdict, is_new=result is not None)))


def stored(place: Workplace, job: Job) -> Verdict | None:
    """The verdict in the bucket; None where there is none, none of this job, or none that can be read."""
    from components.outputs import Verdict  # pydantic takes a while to import

    body = _read(place, job.verdict_uri)
    try:
        verdict = Verdict.model_validate_json(body) if body else None
        return verdict if verdict and datetime.fromisoformat(verdict.finished_at) >= job.made else None
    except (ValueError, TypeError):  # not a verdict, or without a time that can be compared
        return None


def _read(place: Workplace, uri: str) -> bytes:
    """The object; empty where there is none, or no cloud that runs: whoever asks for a verdict starts none."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or moto.running(place.root) is None:
        return b""
    from botocore.exceptions import BotoCoreError

    from local.aws.cloud import Account

    try:
        cloud = Account(place.root).at(_REGION)
        found = cloud.seek("s3", "get_object", Bucket=parts.netloc, Key=parts.path.lstrip("/"))
        return found["Body"].read() if found else b""
    except (ProviderError, BotoCoreError, OSError):  # the last two: it broke off
        return b""


def _jobs(place: Workplace) -> list[Job]:
    """The smoke tests' jobs of the state: those of the newest run, and not what they replace."""
    store = open_store(place)
    if not store.exists():
        return []
    states = [one for one in store.open().resources if one.type == _JOB and not one.delete]
    return [job for state in states if (job := _job(state))]


def _job(state: ResourceState) -> Job | None:
    """The job, if it is one with a verdict: others have no such address among their settings."""
    try:
        (container, *_) = state.inputs["spec"]["template"]["spec"]["containers"]
        settings = {one["name"]: one.get("value") for one in container["env"]}
        uri = json.loads(settings["TRAIN_CONFIG"])["verdict_uri"]
        metadata = state.outputs.get("metadata") or {}
        made = datetime.fromisoformat(metadata.get("creationTimestamp") or state.created).astimezone(UTC)
        name = str(state.inputs["metadata"]["name"])
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    failure = " ".join(next(iter(state.init_errors), "").split())
    return Job(state.urn, name, str(uri), made, failure, state.modified)
