"""The moto server of one data root: AWS's API on 127.0.0.1, one process that outlives the commands that use it.

It keeps everything in memory: when its process is gone, so is the cloud. The record of it (``moto/moto.json``) stays,
so that the loss is noticed, and keeps the port, because endpoints with that port are in the state and in pods.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from local.paths import CHECKOUT, DataRoot, LocalCloudError

HOST = "127.0.0.1"
ACCOUNT = "123456789012"
_START_TIMEOUT_S = 60
_PRELOADED = ("ec2", "iam", "sts", "s3", "kms", "logs", "eks", "ecr")
_SETTINGS = {
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 2 s and 60 MB for images that nothing here boots
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # roles attach AWS's own policies
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


@dataclass(frozen=True)
class MotoServer:
    """A running moto server; ``was_lost``: this call started it in the place of one whose memory is gone."""

    endpoint_url: str
    pid: int
    started_at: float
    was_lost: bool = False

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return int(self.endpoint_url.rsplit(":", 1)[1])


def running(root: DataRoot) -> MotoServer | None:
    """The data root's server, or None where it is not running."""
    recorded = _recorded(root)
    return recorded if recorded and _alive(recorded) else None


def ensure(root: DataRoot) -> MotoServer:
    """The data root's server, started where it is not running. Concurrent callers start one.

    Raises:
        LocalCloudError: its port is held by another process, or it does not start.
    """
    if (server := running(root)) is not None:
        return server
    with _lock(root):
        if (server := running(root)) is not None:
            return server
        lost = _recorded(root)
        server = _start(root, lost.port if lost else _free_port())
        return replace(server, was_lost=lost is not None)


def stop(root: DataRoot) -> None:
    """End the data root's server, if it is running, and forget its port. What it held is gone for good."""
    if not root.moto.exists():
        return
    with _lock(root):
        server = running(root)
        if server is not None:
            process = psutil.Process(server.pid)
            process.terminate()
            try:
                process.wait(5)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(5)
        (root.moto / "moto.json").unlink(missing_ok=True)


def log_file(root: DataRoot) -> Path:
    """Where the server writes what it did."""
    return root.moto / "moto.log"


def _start(root: DataRoot, port: int) -> MotoServer:
    _refuse_stranger(root, port)
    with log_file(root).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.moto", str(port)],
            cwd=CHECKOUT,
            env={**os.environ, **_SETTINGS, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = MotoServer(f"http://{HOST}:{port}", process.pid, psutil.Process(process.pid).create_time())
    _record(root, server)
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                process.kill()
            raise LocalCloudError(
                f"moto, which stands in for AWS, did not start on {HOST}:{port}. Its last words are in "
                f"{log_file(root)}:\n{_tail(log_file(root))}"
            )
        time.sleep(0.02)
    _refuse_stranger(root, port, process.pid)
    return server


def _refuse_stranger(root: DataRoot, port: int, ours: int | None = None) -> None:
    """Raise where somebody else listens on ``port``."""
    holder = _holder(port)
    if holder is None and not _listening(port):
        return
    if ours is not None and (holder is None or holder.pid == ours):
        return
    who = f"process {holder.pid} ({_program(holder)})" if holder else "a process of another user"
    raise LocalCloudError(
        f"port {port} on {HOST}, which moto (AWS on this machine) uses, is held by {who}. Stop that process and run "
        f"the command again; or, to start over on another port and lose what moto held, remove "
        f"{root.moto / 'moto.json'}."
    )


def _holder(port: int) -> psutil.Process | None:
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.laddr.ip not in (HOST, "0.0.0.0", "::", "::1", "::ffff:127.0.0.1"):
                continue
            with suppress(psutil.Error):
                return psutil.Process(connection.pid) if connection.pid else None
    return None


def _program(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())[:120] or process.name()
    return "unknown program"


def _alive(server: MotoServer) -> bool:
    """Whether the recorded process is still that process: ids are used again, start times tell."""
    with suppress(psutil.Error):
        process = psutil.Process(server.pid)
        same = abs(process.create_time() - server.started_at) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE and _listening(server.port)
    return False


def _listening(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _recorded(root: DataRoot) -> MotoServer | None:
    try:
        fields = json.loads((root.moto / "moto.json").read_text())
        return MotoServer(f"http://{HOST}:{fields['port']}", fields["pid"], fields["started_at"])
    except (OSError, ValueError, KeyError):
        return None


def _record(root: DataRoot, server: MotoServer) -> None:
    fields = {"pid": server.pid, "port": server.port, "started_at": server.started_at}
    part = root.moto / "moto.json.part"
    part.write_text(json.dumps(fields))
    part.replace(root.moto / "moto.json")


@contextmanager
def _lock(root: DataRoot) -> Iterator[None]:
    root.moto.mkdir(parents=True, exist_ok=True)
    with (root.moto / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _tail(path: Path, lines: int = 5) -> str:
    with suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return ""


def _serve(port: int) -> None:
    """Run moto in this process; its services are loaded while the first requests are still on their way."""
    from threading import Thread

    from moto.backends import get_backend
    from moto.server import main as moto_main  # pyright: ignore[reportUnknownVariableType]

    def preload() -> None:
        for service in _PRELOADED:
            get_backend(service)  # pyright: ignore[reportArgumentType]

    _judge_no_bucket_policies()
    _tag_node_groups_too()
    Thread(target=preload, daemon=True).start()
    moto_main(["-H", HOST, "-p", str(port)])


def _judge_no_bucket_policies() -> None:
    """Keep bucket policies without acting on them.

    moto 5.2.5 takes a condition that it cannot judge for a refusal: the usual policy that denies plain HTTP would
    lock everybody out of the bucket. IAM is not enforced here either.
    """
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    def neutral(bucket: object, action: str, resource: str) -> PermissionResult:
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = neutral  # pyright: ignore[reportAttributeAccessIssue]


def _tag_node_groups_too() -> None:
    """Let EKS tag node groups: moto 5.2.5 finds clusters only, and says of a node group that it does not exist."""
    from moto.eks.models import EKSBackend

    tag_cluster, untag_cluster = EKSBackend.tag_resource, EKSBackend.untag_resource

    def tags_of(backend: EKSBackend, arn: str) -> dict[str, str] | None:
        groups = (group for cluster in backend.clusters.values() for group in cluster.nodegroups.values())
        return next((group.tags for group in groups if group.arn == arn), None)

    def tag(self: EKSBackend, resource_arn: str, tags: dict[str, str]) -> None:
        found = tags_of(self, resource_arn)
        if found is None:
            tag_cluster(self, resource_arn, tags)
        else:
            found.update(tags)

    def untag(self: EKSBackend, resource_arn: str, tag_keys: list[str]) -> None:
        found = tags_of(self, resource_arn)
        if found is None:
            untag_cluster(self, resource_arn, tag_keys)
        else:
            for key in tag_keys:
                found.pop(key, None)

    EKSBackend.tag_resource, EKSBackend.untag_resource = tag, untag


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
