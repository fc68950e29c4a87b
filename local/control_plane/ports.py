"""The port of a cluster's API server: the same one for the life of the cluster, as its endpoint stands in states."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from local.paths import LocalCloudError
from local.processes import is_free, lock, who_holds, write_atomically

FIRST_PORT, LAST_PORT = 20_000, 31_999
"""Below 32,768, where Linux begins to hand out ports for outgoing connections, and above the usual servers' ports."""

API_SERVER = "kube-apiserver"
FILE = "ports.json"


def recorded(folder: Path) -> int | None:
    """The port that a cluster's folder records; None when there is no whole record."""
    try:
        return int(json.loads((folder / FILE).read_text())[API_SERVER])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ensure(folder: Path) -> int:
    """The cluster's port: the recorded one, else a free one that no other cluster of this data root has.

    The preference follows from the folder's path, so that the endpoint is the same after the folder was removed.
    """
    with lock(folder.parent / ".ports.lock"):
        if (port := recorded(folder)) is not None:
            return port
        taken = {recorded(other) for other in folder.parent.iterdir() if other.is_dir()}
        for port in candidates(folder):
            if port not in taken and is_free(port):
                write_atomically(folder / FILE, json.dumps({API_SERVER: port}) + "\n")
                return port
    raise LocalCloudError(
        f"No port from {FIRST_PORT} to {LAST_PORT} is free on 127.0.0.1 for the cluster in {folder}. "
        "End some of the servers there (`ss -ltnp` names them) and run again."
    )


def candidates(folder: Path) -> list[int]:
    """200 ports in the order in which a cluster would have them."""
    span = LAST_PORT - FIRST_PORT + 1
    start = int.from_bytes(hashlib.sha256(str(folder.resolve()).encode()).digest()[:8], "big")
    return [FIRST_PORT + (start + 61 * step) % span for step in range(200)]


def require_free(folder: Path, port: int) -> None:
    """Raise a `LocalCloudError` that names the holder when somebody else has the cluster's port."""
    if is_free(port):
        return
    holder = who_holds(port)
    raise LocalCloudError(
        f"Port {port} on 127.0.0.1 belongs to the API server of the cluster in {folder}, but "
        f"{holder or 'something that cannot be seen from here'} listens on it. "
        f"End it{f' (`kill {holder.pid}`)' if holder and holder.pid else ''} and run again; the port stands in the "
        "state and in kubeconfigs, so the cluster does not move by itself. To give the cluster up, run `make down`."
    )
