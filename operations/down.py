"""``make down``: end every process of this checkout's data centre, and remove the data root.

Nothing is destroyed resource by resource, as ``aidc destroy`` does it: all that any of them is lies in the data root,
in processes and in machines, and those go as a whole, whatever the state says and whether or not the cloud answers.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from local import control_plane, machines, moto, vehicle
from local.engine.store import StateLocked, lock_every_stack
from local.paths import DataRoot, LocalCloudError
from local.processes import stop_under
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
    try:
        with lock_every_stack(place.root.state, "down", place.tell):
            return _remove(place)
    except StateLocked as busy:
        place.tell(str(busy))
        return 1


def _remove(place: Workplace) -> int:
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
