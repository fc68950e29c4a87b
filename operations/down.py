"""``make down``: destroy every stack of this checkout, end every process, remove the data root.

It never gives up half way: a state that cannot be read or a cloud that is gone only means that there is nothing to
destroy in an orderly way, which is said; the processes and files go all the same.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from local import control_plane, machines, moto, vehicle
from local.engine.store import StateLocked
from local.paths import DataRoot, LocalCloudError
from local.processes import stop_under
from operations.destroy import destroy
from operations.exits import OperationFailed
from operations.workplace import Output, Workplace


def down(place: Workplace) -> int:
    """Leave no process, machine, network, port or file outside the caches.

    The status: 1 when a run is under way, or a machine or a file cannot be removed.
    """
    try:
        return _down(place)
    except LocalCloudError as problem:
        place.tell(f"Not everything could be removed: {problem}\nMend that and run `make down` again.")
        return 1


def _down(place: Workplace) -> int:
    if not place.root.path.exists():
        left = machines.purge(place.root)
        place.tell(f"Nothing is up; {', '.join(left)} was left of it, and is gone." if left else "Nothing is up.")
        return 0
    for stack in stacks(place.root):
        try:
            _destroy(replace(place, stack=stack))
        except StateLocked as busy:
            place.tell(str(busy))
            return 1
    refusal = _stop_everything(place)
    if refusal is not None and _is_of_machines(place.root):
        place.tell(
            f"Every process is stopped, but the machines could not be removed: {refusal}\n"
            f"Mend that and run `make down` again: {place.root.path} stays until then: it knows what they are."
        )
        return 1
    return _remove_files(place, refusal)


def _remove_files(place: Workplace, refusal: LocalCloudError | None) -> int:
    shutil.rmtree(place.root.path, ignore_errors=True)
    if place.root.path.exists():
        place.tell(f"Stopped everything, but {place.root.path} could not be removed: remove it by hand.")
        return 1
    if refusal is not None:
        raise refusal
    place.tell(f"Nothing is left: no process, no machine, no port, and {place.root.path} is gone. The caches stay.")
    return 0


def _is_of_machines(root: DataRoot) -> bool:
    chosen = vehicle.recorded(root)
    return chosen is not None and chosen.is_machines


def stacks(root: DataRoot) -> list[str]:
    """The stacks of which something stands here, or may stand."""
    book = root.state / ".pulumi"
    states = [path for path in book.glob("stacks/*/*.json") if not _is_empty(path)]
    return sorted({path.stem for path in (*states, *book.glob("journals/*/*.journal"))})


def _is_empty(state: Path) -> bool:
    """Whether a destroy was here already; its stack file may be gone since."""
    try:
        return not json.loads(state.read_text())["checkpoint"]["latest"].get("resources")
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return False


def _destroy(place: Workplace) -> None:
    if moto.running(place.root) is None:
        place.tell(f"The local AWS is not running: what the stack `{place.stack}` had there is gone already.")
        return
    try:
        destroy(place)
    except StateLocked:
        raise
    except (OperationFailed, LocalCloudError) as problem:
        reason = str(problem).splitlines()[0]
        place.tell(f"The stack `{place.stack}` could not be destroyed in order ({reason}); it is removed as a whole.")


def _stop_everything(place: Workplace) -> LocalCloudError | None:
    """End machines and processes; why machines are left, where podman refuses, which keeps nothing else running."""
    refusal: LocalCloudError | None = None
    try:
        machines.purge(place.root)
    except LocalCloudError as problem:
        refusal = problem
    for plane in control_plane.clusters(place.root):
        plane.remove()
    stop_under(place.root.path)
    moto.stop(place.root)
    return refusal


def main() -> int:
    """``python -m operations.down``."""
    return down(Workplace("local", Output.TEXT, DataRoot.of_environment(), Path(__file__).resolve().parent.parent))


if __name__ == "__main__":
    sys.exit(main())
