"""``aidc preview``: what ``up`` would do; for any stack, without credentials and without a cloud."""

from __future__ import annotations

from operations import report
from operations.exits import Exit
from operations.outputs import stack_outputs
from operations.recycling import recycled
from operations.session import allowed_accounts, load_project, session
from operations.workplace import LOCAL_ACCOUNT, Workplace


def preview(place: Workplace, *, exit_code: bool) -> Exit:
    """Show what would change; `Exit.CHANGES_PENDING` when something would and ``exit_code`` asks for it.

    Raises:
        OperationFailed: the configuration is wrong, or the program failed.
    """
    with session(place, needs_cloud=False) as opened:
        if allowed_accounts(load_project(place).config) != [LOCAL_ACCOUNT]:
            place.tell(
                f"An offline preview of `{place.stack}`: checked against the local providers and the state on this "
                "machine, not against AWS."
            )
        stood = stack_outputs(place)
        result = opened.engine.preview()
    report.require_success(result, logs=str(place.root.path))
    pools = recycled(place, stood)
    sentences = "\n".join(pool["sentence"] + "." for pool in pools.values())
    text = "\n".join(part for part in (report.steps_text(result), sentences, report.changes_text(result)) if part)
    place.give({**report.as_data(result), "pools": pools}, text)
    return Exit.CHANGES_PENDING if exit_code and result.has_changes else Exit.CLEAN
