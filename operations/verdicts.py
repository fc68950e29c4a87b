"""What smoke tests' jobs stored in their bucket: the rows of those that failed, which no output has, and the curves.

Each job is known by its name in the program: the data centre has one, and each TPU slice has its own.
"""

from __future__ import annotations

import json
import re
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
_SMOKE_TEST = re.compile(r"smoke-test-job|tpu-smoke-test-job-(\d+)")
_REGION = "us-east-1"  # moto finds a bucket by its name from any region


@dataclass(frozen=True)
class Job:
    """A smoke test's job as the state has it.

    Attributes:
        slice: which TPU slice it tests; None: it is the data centre's own.
        path: where the API server has it.
        verdict_uri: where its process 0 stores the verdict, whether it passes or not.
        made: when the API server made it; what was stored before is another's.
        failure: why it failed; empty where it did not.
        told: when that became known, as ISO 8601; empty where the state does not say.
    """

    urn: str
    slice: int | None
    name: str
    path: str
    verdict_uri: str
    made: datetime
    failure: str
    told: str


def of_failed_jobs(place: Workplace, result: Result | None = None) -> dict[int | None, dict[str, Any]]:
    """The verdicts of jobs that failed, by slice, None for the data centre's own.

    Each has its rows where the job lived to store them; else its reason alone.

    Args:
        result: a run, if only its own failures are asked for.
    """
    urns = {error.urn for error in result.errors} if result is not None else None
    if urns == set():
        return {}  # without a look at the state
    failed = [job for job in jobs(place) if job.failure and (urns is None or job.urn in urns)]
    return {job.slice: _of_failed(place, job) for job in failed}


def of_run(place: Workplace, result: Result) -> dict[int | None, dict[str, Any]]:
    """What the jobs said that this run made, by slice, None for the data centre's own, whatever else failed.

    Of one that failed it is as in :func:`of_failed_jobs`; one that passed is left out where its bucket cannot be read.
    """
    made = {step.urn for step in result.steps if step.op in ("create", "replace") and not step.error}
    passed = ((job.slice, stored(place, job)) for job in jobs(place) if job.urn in made and not job.failure)
    return {number: as_data(one) for number, one in passed if one} | of_failed_jobs(place, result)


def are_lost(place: Workplace) -> bool:
    """Whether a job passed whose verdict is not in its bucket any more."""
    return any(not job.failure and stored(place, job) is None for job in jobs(place))


def last(
    place: Workplace, told: Mapping[int | None, Mapping[str, Any] | None]
) -> dict[int | None, Mapping[str, Any] | None]:
    """What each smoke test said last, by slice, None for the data centre's own.

    Args:
        told: what the outputs say; where a run failed, they say what an older one found.
    """
    found = dict(told)
    for job in jobs(place):
        said = found.setdefault(job.slice, None)
        if job.failure:
            found[job.slice] = _of_failed(place, job)
        elif (said is None or not _is_of(job, said.get("finished_at"))) and (verdict := stored(place, job)):
            found[job.slice] = verdict.model_dump(mode="json")
    return found


def _of_failed(place: Workplace, job: Job) -> dict[str, Any]:
    verdict = stored(place, job)
    return as_data(_of_nothing(job.failure, job.name, job.told) if verdict is None or verdict.passed else verdict)


def unknown() -> dict[str, Any]:
    """The verdict of a job that ended well and of whose verdict nobody knows: it is not passed."""
    return as_data(_of_nothing("The job ended, and its verdict is not known: see its log"))


def _of_nothing(reason: str, job: str = "", told: str = "") -> Verdict:
    """The verdict of a job that did not live to store one: nothing was measured."""
    from components.outputs import Verdict  # pydantic takes a while to import

    return Verdict(
        passed=False, reason=reason, job=job, processes=None, devices=None, device_kind="", nodes=(),
        loss_first=None, loss_last=None, steps=0, first_step_s=None, tokens_per_s=None, step_time_p50_s=None,
        step_time_p95_s=None, collective_time_s=None, resumed_from_step=None, checkpoint=None, started_at="",
        finished_at=told,
    )  # fmt: skip


def as_data(verdict: Verdict) -> dict[str, Any]:
    """As plain values, curves included, where there are any."""
    curves = {"series": verdict.series.model_dump(mode="json")} if verdict.series else {}
    return {**verdict.model_dump(mode="json"), **curves}


def tell_failed(place: Workplace, result: Result | None = None) -> None:
    """Show the verdicts of jobs that failed, beside the run's own words."""
    tell(place, of_failed_jobs(place, result), is_new=result is not None)


def tell(place: Workplace, found: Mapping[int | None, Mapping[str, Any] | None], *, is_new: bool) -> None:
    """Show verdicts by slice, each with what it is of."""
    for number, verdict in sorted(found.items(), key=lambda one: -1 if one[0] is None else one[0]):
        what = "smoke test" if number is None else f"slice {number}"
        place.tell("\n".join(verdict_lines(verdict, is_new=is_new, what=what)))


def stored(place: Workplace, job: Job) -> Verdict | None:
    """The verdict in the bucket; None where there is none, none of this job, or none that can be read."""
    from components.outputs import Verdict  # pydantic takes a while to import

    body = _read(place, job.verdict_uri)
    try:
        verdict = Verdict.model_validate_json(body) if body else None
    except ValueError:
        return None
    return verdict if verdict and _is_of(job, verdict.finished_at) else None


def _is_of(job: Job, finished_at: object) -> bool:
    """Whether what ended then can be this job; not, if that is no time that can be compared."""
    try:
        return datetime.fromisoformat(str(finished_at)) >= job.made
    except (ValueError, TypeError):
        return False


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


def jobs(place: Workplace) -> list[Job]:
    """The smoke tests' jobs of the state: those of the newest run, and not what they replace."""
    store = open_store(place)
    if not store.exists():
        return []
    states = [one for one in store.open().resources if one.type == _JOB and not one.delete]
    return [job for state in states if (job := _job(state))]


def _job(state: ResourceState) -> Job | None:
    """The job, if it is a smoke test's with an address for its verdict among its settings."""
    named = _SMOKE_TEST.fullmatch(state.urn.rpartition("::")[2])
    if named is None:
        return None
    try:
        (container, *_) = state.inputs["spec"]["template"]["spec"]["containers"]
        settings = {one["name"]: one.get("value") for one in container["env"]}
        uri = json.loads(settings["TRAIN_CONFIG"])["verdict_uri"]
        metadata = state.outputs.get("metadata") or {}
        made = datetime.fromisoformat(metadata.get("creationTimestamp") or state.created).astimezone(UTC)
        name, namespace = (str(state.inputs["metadata"][key]) for key in ("name", "namespace"))
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    failure = " ".join(next(iter(state.init_errors), "").split())
    number = None if named[1] is None else int(named[1])
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}"
    return Job(state.urn, number, name, path, str(uri), made, failure, state.modified)
