"""``aidc destroy``: remove what the state holds, in reverse order."""

from __future__ import annotations

from operations import report
from operations.session import check_configuration, require_local_account, require_state, session
from operations.workplace import Workplace


def destroy(place: Workplace) -> None:
    """Delete every resource of the stack.

    Raises:
        OperationFailed: nothing is up, something could not be deleted, or is protected.
    """
    check_configuration(place)
    require_local_account(place, "destroy")
    require_state(place, "delete")
    with session(place, needs_cloud=True) as opened:
        result = opened.engine.destroy()
    report.require_success(result, logs=str(place.root.path))
    place.give(report.as_data(result), report.changes_text(result))
