"""``aidc smoke-test``: run the training job again on the data centre that stands, and print its verdict.

The job is deleted behind the program's back and the drift is mended as any other: one way in for the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from local import control_plane
from operations import report
from operations.exits import OperationFailed
from operations.outputs import stack_outputs
from operations.session import check_configuration, require_local_account, session
from operations.summary import verdict_lines, verdict_of
from operations.workplace import Workplace


def smoke_test(place: Workplace) -> None:
    """Run the job and show the verdict.

    Raises:
        OperationFailed: nothing is up, no smoke test is declared, or it failed.
    """
    check_configuration(place)
    require_local_account(place, "up")
    with session(place, needs_cloud=True) as opened:
        _remove_job(place, stack_outputs(place))
        result = opened.engine.up(refresh=True)
    report.require_success(result, logs=str(place.root.path))
    verdict = verdict_of(result.outputs)
    place.give(verdict, "\n".join(verdict_lines(verdict)))
    if verdict is None or verdict.get("passed") is not True:
        raise OperationFailed("The smoke test did not pass.")


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
