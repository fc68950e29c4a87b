"""Where a cluster's API server listens: the same for the life of the cluster, as its endpoint stands in states."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from local.addresses import LOOPBACK
from local.files import write_atomically
from local.paths import LocalCloudError
from local.processes import is_free, lock, who_holds

FIRST_PORT, LAST_PORT = 20_000, 31_999
"""Below 32,768, where Linux begins to hand out ports for outgoing connections, and above the usual servers' ports."""

API_SERVER = "kube-apiserver"
FILE = "ports.json"


@dataclass(frozen=True)
class Place:
    """An address of this host, and a TCP port on it."""

    address: str
    port: int

    @property
    def endpoint(self) -> str:
        """The API server's there."""
        return f"https://{self.address}:{self.port}"


def recorded(folder: Path) -> Place | None:
    """What a cluster's folder records; None when there is no whole record."""
    try:
        fields = json.loads((folder / FILE).read_text())
        return Place(str(fields.get("address", LOOPBACK)), int(fields[API_SERVER]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def ensure(folder: Path, address: str) -> Place:
    """The cluster's place: the recorded one, else ``address`` and a port that no other cluster of this data root has.

    The preference follows from the folder's path, so that the endpoint is the same after the folder was removed.
    """
    with lock(folder.parent / ".ports.lock"):
        if (place := recorded(folder)) is not None:
            return place
        others = [recorded(other) for other in folder.parent.iterdir() if other.is_dir()]
        taken = {other.port for other in others if other}
        for port in candidates(folder):
            if port not in taken and is_free(port, address):
                write_atomically(folder / FILE, json.dumps({API_SERVER: port, "address": address}) + "\n")
                return Place(address, port)
    raise LocalCloudError(
        f"No port from {FIRST_PORT} to {LAST_PORT} is free on {address} for the cluster in {folder}. "
        "End some of the servers there (`ss -ltnp` names them) and run again."
    )


def candidates(folder: Path) -> list[int]:
    """200 ports in the order in which a cluster would have them."""
    span = LAST_PORT - FIRST_PORT + 1
    start = int.from_bytes(hashlib.sha256(str(folder.resolve()).encode()).digest()[:8], "big")
    return [FIRST_PORT + (start + 61 * step) % span for step in range(200)]


def require_free(folder: Path, place: Place) -> None:
    """Raise a `LocalCloudError` that names the holder when somebody else has the cluster's port."""
    if is_free(place.port, place.address):
        return
    holder = who_holds(place.port, place.address)
    raise LocalCloudError(
        f"Port {place.port} on {place.address} belongs to the API server of the cluster in {folder}, but "
        f"{holder or 'something that cannot be seen from here'} listens on it. "
        f"End it{f' (`kill {holder.pid}`)' if holder and holder.pid else ''} and run again; the port stands in the "
        "state and in kubeconfigs, so the cluster does not move by itself. To give the cluster up, run `make down`."
    )
