"""Processes that outlive the command that started them: start, recognise, stop, and who holds a port.

A process is known by its pid, the kernel's boot id and its start time in clock ticks. A pid alone would, after a
reboot or a long uptime, name somebody else's process; wall-clock start times move when the clock is set.
Everything works for an ordinary user, without control groups, in an unprivileged container.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from local.files import write_atomically

RECORD_SUFFIX = ".process.json"
"""How the file of a process record ends; `stop_under` finds processes by it."""

# The child writes its own record before it becomes the program: a parent that is killed at any moment cannot leave
# a process that nobody knows. The pid and the start time stay the same across `exec`.
_RECORD_THEN_EXEC = """
read -r boot < /proc/sys/kernel/random/boot_id
read -r stat < /proc/$$/stat
ticks=$(set -- $stat; shift 21; echo "$1")
printf '{"pid": %d, "started": "%s:%s"}\\n' "$$" "$boot" "$ticks" > "$0.new" && mv -f "$0.new" "$0" || exit 126
exec "$@"
"""


@dataclass(frozen=True)
class ProcessRecord:
    """One process of this boot: ``started`` is ``<boot id>:<start time in clock ticks since boot>``."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessRecord | None:
        """The record of what runs as ``pid`` now; None when nothing does."""
        stat = _stat(pid)
        return cls(pid, f"{_boot_id()}:{stat.ticks}") if stat else None

    @classmethod
    def read(cls, path: Path) -> ProcessRecord | None:
        """The record in a file; None when there is none or when it is half written."""
        try:
            fields = json.loads(path.read_text())
            return cls(int(fields["pid"]), str(fields["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Put the record into a file, whole or not at all."""
        write_atomically(path, json.dumps(asdict(self)) + "\n")


@dataclass(frozen=True)
class Holder:
    """Who listens on a port; ``pid`` is None for another user's or another container's process."""

    pid: int | None
    program: str
    user: str

    def __str__(self) -> str:
        who = self.program if self.pid is None else f"{self.program} (process {self.pid})"
        return f"{who} of user {self.user}" if self.user else who


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    session: int
    ticks: int


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the program's name may itself hold spaces and parentheses
    return _Stat(state=fields[0], parent=int(fields[1]), session=int(fields[3]), ticks=int(fields[19]))


def spawn(
    argv: Sequence[str | Path],
    *,
    record: Path,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> ProcessRecord:
    """Start a program in a session of its own that outlives this process; it appends its output to ``log``.

    Args:
        argv: the program and its arguments; the program is looked up on PATH.
        record: where the child writes its own record (end it in `RECORD_SUFFIX`).
        log: file for stdout and stderr together.
        cwd: the folder it runs in; this process's own when None.
        env: its whole environment; this process's own when None.
    """
    for folder in (record.parent, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            ["/bin/sh", "-c", _RECORD_THEN_EXEC, str(record.resolve()), *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    started = ProcessRecord.of(child.pid)
    if started is None:
        raise ProcessLookupError(f"{argv[0]} ended at once; see {log}")
    child.returncode = 0  # it is detached on purpose: no warning that it still runs; `alive` reaps it
    wait_until(lambda: ProcessRecord.read(record) == started or not alive(started), 5.0, 0.002)
    return started


def alive(record: ProcessRecord) -> bool:
    """Whether that very process still runs. A zombie does not run; one of our own children is reaped here."""
    stat = _stat(record.pid)
    if stat is None or record.started != f"{_boot_id()}:{stat.ticks}":
        return False
    if stat.state not in "ZX":
        return True
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.pid, os.WNOHANG)
    return False


def running(path: Path) -> ProcessRecord | None:
    """The process recorded in a file, if it runs."""
    record = ProcessRecord.read(path)
    return record if record is not None and alive(record) else None


def family(record: ProcessRecord) -> list[ProcessRecord]:
    """The process, its descendants and the members of its session that run now; empty when it does not run."""
    if not alive(record):
        return []
    stats = {pid: stat for pid in psutil.pids() if (stat := _stat(pid))}
    members = {record.pid} | {pid for pid, stat in stats.items() if stat.session == record.pid}
    while more := {pid for pid, stat in stats.items() if stat.parent in members} - members:
        members |= more
    boot = _boot_id()
    return [ProcessRecord(pid, f"{boot}:{stats[pid].ticks}") for pid in sorted(members) if pid in stats]


def marked(name: str, value: str) -> list[ProcessRecord]:
    """The processes that were started with ``name=value`` in their environment, and whose environment can be read."""
    wanted = f"{name}={value}".encode()
    found: list[ProcessRecord | None] = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(ProcessRecord.of(pid))
    return [record for record in found if record is not None]


def send(record: ProcessRecord, number: signal.Signals) -> None:
    """Signal that very process; nothing happens when it has ended."""
    if alive(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, number)


def stop(*records: ProcessRecord, grace_s: float = 5.0) -> None:
    """End processes with all their descendants and sessions: TERM, and KILL for what is left after ``grace_s``.

    Returns when none of them runs any more.
    """
    members = {member for record in records for member in family(record)}
    for record in records:
        send(record, signal.SIGTERM)
    wait_until(lambda: not any(map(alive, records)), grace_s)
    members |= {member for record in records for member in family(record)}
    for member in members:
        send(member, signal.SIGKILL)
    wait_until(lambda: not any(map(alive, members)), 5.0)


def stop_under(folder: Path, grace_s: float = 5.0) -> None:
    """End every process that has a record anywhere in a folder."""
    found = [ProcessRecord.read(path) for path in sorted(folder.rglob(f"*{RECORD_SUFFIX}"))]
    stop(*(record for record in found if record is not None), grace_s=grace_s)


def who_holds(port: int, address: str = "127.0.0.1") -> Holder | None:
    """Who listens on ``address``:``port``, by that IPv4 address or by all; None when nobody can be seen to."""
    heard = {(one, port) for one in (address, "0.0.0.0", "::", f"::ffff:{address}")}
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr) in heard:
            return _holder(connection.pid)
    return None


def _holder(pid: int | None) -> Holder:
    if pid is not None:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            return Holder(pid, process.name(), process.username())
    return Holder(pid, "a process of another user or container", "")


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``address``:``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(taken: Collection[int] = (), address: str = "127.0.0.1") -> int:
    """A port of ``address`` that nobody listens on now and that is not ``taken``."""
    while True:
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock file; wait for another process or thread that holds it. The kernel frees a dead holder's lock.

    The holder may remove the file (or its folder): a waiter then makes a new one.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError), path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_still(path, file.fileno()):
                yield
                return


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.02) -> bool:
    """Whether ``condition`` came true within ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def tail(path: Path, lines: int = 5, limit_bytes: int = 8192) -> str:
    """The last lines of a text file, for an error message; empty when there is no such file."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - limit_bytes))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    return ""
