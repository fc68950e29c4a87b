"""``aidc smoke-test``: run the training job again on the data centre that stands, print its verdict and report it.

The job is deleted behind the program's back and the drift is mended as any other: one way in for the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from local import control_plane, vehicle
from local.engine.events import Result
from operations import report, verdict_report, verdicts
from operations.exits import OperationFailed
from operations.outputs import stack_outputs
from operations.session import check_configuration, require_local_account, session
from operations.summary import verdict_lines, verdict_of
from operations.workplace import Workplace


def smoke_test(place: Workplace, file: Path | None = None) -> None:
    """Run the job and show the verdict, in ``file`` too.

    Raises:
        OperationFailed: nothing is up, no smoke test is declared, it failed, or the file cannot be written.
    """
    if file:
        verdict_report.require_place(file)
    check_configuration(place)
    require_local_account(place, "up")
    with session(place, needs_cloud=True) as opened:
        _remove_job(place, stack_outputs(place))
        result = opened.engine.up(refresh=True)
    failed = verdicts.of_failed_jobs(place, result)
    verdict = failed.pop(None, None)
    verdicts.tell(place, failed, is_new=True)  # of TPU slices
    if verdict is None:
        verdict = _with_curves(place, result) if result.succeeded else verdicts.of_passed_job(place, result)
    if verdict is None:  # so that whatever failed did so before the job
        report.require_success(result, logs=str(place.root.path))
    _show(place, verdict, file, place.stack, _realised(place, result))
    report.require_success(result, logs=str(place.root.path))
    _require_passed(verdict)


def show_stored(place: Workplace, source: Path, file: Path | None = None) -> None:
    """Show a verdict that a job stored anywhere, such as on AWS: nothing is run, and no stack need be up.

    Raises:
        OperationFailed: the source is no verdict, the job failed, or the file cannot be written.
    """
    from components.outputs import Verdict  # pydantic takes a while to import

    try:
        verdict = verdicts.as_data(Verdict.model_validate_json(source.read_bytes()))
    except OSError as error:
        raise OperationFailed(f"The verdict cannot be read from {source}: {error.strerror}.") from None
    except ValueError:
        raise OperationFailed(
            f"{source} is no verdict of a smoke test: give the verdict.json that a job stored in the checkpoint bucket."
        ) from None
    if file:
        verdict_report.require_place(file, source)
    where = f"The verdict was read from {source.name}, which does not tell where its job ran."
    _show(place, verdict, file, "", [where])
    _require_passed(verdict)


def _show(
    place: Workplace, verdict: Mapping[str, Any] | None, file: Path | None, stack: str, realised: Sequence[str]
) -> None:
    curves = verdict_report.curve_lines((verdict or {}).get("series"))
    place.give(verdict, "\n".join([*verdict_lines(verdict), *curves]))
    if file is None or verdict is None:
        return
    verdict_report.write(file, verdict_report.html(verdict, stack, realised))
    place.tell(f"The report is in {file}.")


def _require_passed(verdict: Mapping[str, Any] | None) -> None:
    if verdict is None or verdict.get("passed") is not True:
        raise OperationFailed("The smoke test did not pass.")


def _with_curves(place: Workplace, result: Result) -> Mapping[str, Any] | None:
    """The verdict of the outputs; with the curves, where those in the bucket are of the same run."""
    verdict = verdict_of(result.outputs)
    stored = verdicts.of_job(place, str(verdict.get("job"))) if verdict else None
    is_same = stored is not None and verdict is not None and stored.finished_at == verdict.get("finished_at")
    return verdicts.as_data(stored) if is_same and stored else verdict


def _realised(place: Workplace, result: Result) -> list[str]:
    """What was real on this machine, in sentences."""
    carried = vehicle.of(place.root)
    counts = report.fidelity_counts(result.types, carried.is_machines)
    return [
        "It ran on one machine, whose CPUs, memory and disk all nodes share: the speeds are that machine's, not those "
        "of the instance types that are declared.",
        f"About the nodes: {carried.sentence()}.",
        f"Of the stack's resources {', '.join(f'{number} are {name}' for name, number in counts.items())}. AWS is "
        "emulated by moto; the cluster's control plane is a real one.",
    ]


def run_again_after_loss(place: Workplace) -> None:
    """Let the next ``up`` run the job again: the bucket that held its verdict is gone, and the cluster is not."""
    with suppress(OperationFailed):  # there may have been no job yet
        _remove_job(place, stack_outputs(place))


def _remove_job(place: Workplace, outputs: Mapping[str, Any]) -> None:
    datacenter = outputs.get("datacenter") or {}
    test = datacenter.get("smoke_test") if isinstance(datacenter, Mapping) else None
    if not test:
        raise OperationFailed(f"The stack `{place.stack}` has no smoke test that ran: run `aidc up` first.")
    plane = control_plane.by_endpoint(place.root, datacenter["cluster"]["endpoint"])
    if plane is None:
        raise OperationFailed("The cluster of the smoke test does not run on this machine: run `aidc up` first.")
    plane.api().delete(f"/apis/batch/v1/namespaces/{test['namespace']}/jobs/{test['job']}")
