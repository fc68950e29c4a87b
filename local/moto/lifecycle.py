"""Starting, recognising and stopping the server, and noticing that what it held is lost.

moto keeps everything in memory: when its process is gone, so is the cloud. Its record and its port stay on disk. The
record tells a server that is lost from one that never was, also after a reboot (it holds the boot id); the port is
kept because endpoints with it are in the state and in pods.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from local import processes, vehicle
from local.addresses import LOOPBACK
from local.paths import CHECKOUT, DataRoot, LocalCloudError
from local.processes import RECORD_SUFFIX, ProcessRecord, alive, is_free, lock, spawn, tail, wait_until, who_holds
from local.processes import stop as stop_processes

START_TIMEOUT_S = 60.0
_SETTINGS = {
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 2 s and 60 MB for images that nothing here boots
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # roles attach AWS's own policies
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


@dataclass(frozen=True)
class MotoServer:
    """A running moto server: its process, and the address and TCP port at which it answers."""

    process: ProcessRecord
    address: str
    port: int

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def endpoint_url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}:{self.port}"


def running(root: DataRoot) -> MotoServer | None:
    """The data root's server, or None where it is not running."""
    process, port, address = processes.running(_record(root)), _recorded_port(root), _address(root)
    return MotoServer(process, address, port) if process and port and _listening(address, port) else None


def ensure(root: DataRoot) -> MotoServer:
    """The data root's server, started where it is not running. Concurrent callers start one.

    Where the one before is gone, `lost_marker` stands before its successor starts: a kill in between loses nothing.

    Raises:
        LocalCloudError: its port is held by another process, or it does not start.
    """
    if (server := running(root)) is not None:
        return server
    address = vehicle.of(root).address
    with lock(_lock(root)):
        before, port = ProcessRecord.read(_record(root)), _recorded_port(root)
        if before and port and _serves(before, address, port):  # its starter was killed meanwhile, or is quicker
            return MotoServer(before, address, port)
        if before:
            stop_processes(before)
            lost_marker(root).touch()
        return _start(root, address, port or processes.free_port(address=address))


def stop(root: DataRoot) -> None:
    """End the data root's server, if it is running, and forget its port. What it held is gone for good."""
    if not root.moto.exists():
        return
    with lock(_lock(root)):
        if (process := processes.running(_record(root))) is not None:
            stop_processes(process)
        for path in (_record(root), _port_file(root)):
            path.unlink(missing_ok=True)


def lost_marker(root: DataRoot) -> Path:
    """Stands from the loss of a server's memory until who has rebuilt it removes it."""
    return root.moto / "lost"


def log_file(root: DataRoot) -> Path:
    """Where the server writes what it did."""
    return root.moto / "moto.log"


def _start(root: DataRoot, address: str, port: int) -> MotoServer:
    _require_free(root, address, port)
    processes.write_atomically(_port_file(root), f"{port}\n")
    process = spawn(
        [sys.executable, "-m", "local.moto.server", address, str(port)],
        record=_record(root),
        log=log_file(root),
        cwd=CHECKOUT,
        env={**os.environ, **_SETTINGS, "PYTHONPATH": str(CHECKOUT)},
    )
    if _serves(process, address, port):
        return MotoServer(process, address, port)
    stop_processes(process)
    _require_free(root, address, port)  # somebody may have been quicker
    raise LocalCloudError(
        f"moto, which stands in for AWS, did not start on {address}:{port}. Its last words are in "
        f"{log_file(root)}:\n{tail(log_file(root))}"
    )


def _serves(process: ProcessRecord, address: str, port: int) -> bool:
    """Whether that process, given the time to start, is the one that listens on ``port``."""
    wait_until(lambda: not alive(process) or _listening(address, port), START_TIMEOUT_S)
    if not alive(process) or not _listening(address, port):
        return False
    holder = who_holds(port, address)
    return holder is None or holder.pid in (None, process.pid)


def _require_free(root: DataRoot, address: str, port: int) -> None:
    if is_free(port, address):
        return
    raise LocalCloudError(
        f"port {port} on {address}, which moto (AWS on this machine) uses, is held by "
        f"{who_holds(port, address) or 'something that cannot be seen from here'}. Stop it and run the command again; "
        f"or, to start over on another port, remove {_port_file(root)}."
    )


def _listening(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _address(root: DataRoot) -> str:
    chosen = vehicle.recorded(root)
    return chosen.address if chosen else LOOPBACK


def _recorded_port(root: DataRoot) -> int | None:
    try:
        return int(_port_file(root).read_text())
    except (OSError, ValueError):
        return None


def _port_file(root: DataRoot) -> Path:
    return root.moto / "port"


def _record(root: DataRoot) -> Path:
    return root.moto / f"moto{RECORD_SUFFIX}"


def _lock(root: DataRoot) -> Path:
    return root.moto / "lock"
