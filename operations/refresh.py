"""``aidc refresh``: look at what really is, and put that into the state."""

from __future__ import annotations

from operations import report
from operations.exits import Exit
from operations.session import check_configuration, require_local_account, require_state, session
from operations.workplace import Workplace


def refresh(place: Workplace) -> Exit:
    """Bring the state up to date; `Exit.DRIFT` when it was not.

    Raises:
        OperationFailed: the configuration is wrong, nothing is up, or something could not be read.
    """
    check_configuration(place)
    require_local_account(place, "refresh")
    require_state(place, "look at")
    with session(place, needs_cloud=True) as opened:
        result = opened.engine.refresh()
    report.require_success(result, logs=str(place.root.path))
    found = "\n".join(part for part in (report.steps_text(result), report.changes_text(result)) if part)
    hint = "\n`aidc up` brings back what is declared." if result.has_changes else ""
    place.give(report.as_data(result), found + hint)
    return Exit.DRIFT if result.has_changes else Exit.CLEAN
