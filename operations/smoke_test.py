"""``aidc smoke-test``: run the training jobs again on the data centre that stands, print and report their verdicts.

The jobs are deleted behind the program's back and the drift is mended as any other: one way in for a job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from local import vehicle
from local.engine.events import Result
from operations import report, verdict_report, verdicts
from operations.exits import OperationFailed
from operations.outputs import own_clusters
from operations.session import check_configuration, require_local_account, session
from operations.summary import is_passed, slice_verdicts_of, verdict_lines, verdict_of
from operations.workplace import Workplace


def smoke_test(place: Workplace, file: Path | None = None) -> None:
    """Run the jobs and show the verdicts, in ``file`` too.

    Raises:
        OperationFailed: nothing is up, no smoke test is declared, one failed, or the file cannot be written.
    """
    if file:
        verdict_report.require_place(file)
    check_configuration(place)
    require_local_account(place, "up")
    with session(place, needs_cloud=True) as opened:
        _remove_jobs(place)
        result = opened.engine.up(refresh=True)
    found = (_of_outputs(result) if result.succeeded else {}) | verdicts.of_run(place, result)
    verdict = found.pop(None, None)
    if verdict is None and not result.succeeded:  # whatever failed did so before the data centre's own job
        verdicts.tell(place, found, is_new=True)
        report.require_success(result, logs=str(place.root.path))
    _show(place, verdict, file, place.stack, _realised(place, result), found)
    report.require_success(result, logs=str(place.root.path))
    _require_passed(verdict, *found.values())


def _of_outputs(result: Result) -> dict[int | None, Mapping[str, Any] | None]:
    """The verdicts of the outputs, by slice: without their curves, which are in the bucket alone; None: unknown."""
    return {None: verdict_of(result.outputs), **dict(enumerate(slice_verdicts_of(result.outputs)))}


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
            f"{source} is no verdict of a smoke test: give the verdict.json that a job stored in the data bucket."
        ) from None
    if file:
        verdict_report.require_place(file, source)
    where = f"The verdict was read from {source.name}, which does not tell where its job ran."
    _show(place, verdict, file, "", [where])
    _require_passed(verdict)


def _show(
    place: Workplace,
    verdict: Mapping[str, Any] | None,
    file: Path | None,
    stack: str,
    realised: Sequence[str],
    slices: Mapping[Any, Mapping[str, Any] | None] | None = None,
) -> None:
    others = dict(sorted((slices or {}).items()))
    lines = [*verdict_lines(verdict), *_curves(verdict)]
    for number, one in others.items():
        lines += [*verdict_lines(one, what=f"slice {number}"), *_curves(one)]
    place.give({**(verdict or {}), "slices": list(others.values())} if others else verdict, "\n".join(lines))
    if file is None:
        return
    told = {number: one or verdicts.unknown() for number, one in others.items()}
    verdict_report.write(file, verdict_report.html(verdict or verdicts.unknown(), stack, realised, told))
    place.tell(f"The report is in {file}.")


def _curves(verdict: Mapping[str, Any] | None) -> list[str]:
    return verdict_report.curve_lines((verdict or {}).get("series"))


def _require_passed(*found: Mapping[str, Any] | None) -> None:
    if not all(map(is_passed, found)):
        raise OperationFailed("The smoke test did not pass.")


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
    """Let the next ``up`` run the jobs again: the bucket that held their verdicts is gone, and the clusters are not."""
    with suppress(OperationFailed):  # there may have been no job yet
        _remove_jobs(place)


def _remove_jobs(place: Workplace) -> None:
    """Delete the jobs of the stack's smoke tests, those of TPU slices too: a name is of one cluster's alone."""
    jobs, planes = verdicts.jobs(place), own_clusters(place)
    if not jobs:
        raise OperationFailed(f"The stack `{place.stack}` has no smoke test that ran: run `aidc up` first.")
    if not planes:
        raise OperationFailed("The cluster of the smoke test does not run on this machine: run `aidc up` first.")
    for plane in planes:
        api = plane.api()
        for job in jobs:
            api.delete(job.path)
