"""The stack's lock: a file in the CLI's own place and form, so that each engine respects the other's.

The CLI looks for other files in ``.pulumi/locks/organization/<project>/<stack>/``, writes its own, and looks again
(``pkg/backend/diy/lock.go``). A file of a killed process stays; on this machine it can be told that its holder is
gone, and the lock is taken over.
"""

from __future__ import annotations

import contextlib
import datetime
import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.engine.store.checkpoint import utc_now
from local.engine.store.errors import StateLocked, StateUnwritable, unwritable
from local.files import write_atomically

Notify = Callable[[str], None]

# Clocks of the lock's time stamp and of the process table may differ by this much, in seconds.
_CLOCK_SLACK_S = 2.0


@dataclass(frozen=True)
class Holder:
    """Who wrote a lock file; ``pid`` is 0 where that cannot be read."""

    path: Path
    pid: int = 0
    user: str = "somebody"
    host: str = "an unknown machine"
    since: str = "an unknown time"
    command: str = ""

    @classmethod
    def of(cls, path: Path) -> Holder | None:
        """The holder, or None when the file went away."""
        try:
            written = json.loads(path.read_bytes())
            return cls(
                path,
                int(written["pid"]),
                str(written["username"]),
                str(written["hostname"]),
                str(written["timestamp"]),
                str(written.get("command", "")),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path)

    def __str__(self) -> str:
        command = f" (`{self.command}`)" if self.command else ""
        return f"process {self.pid}{command} of {self.user} on {self.host}, since {self.since}"

    def is_gone(self) -> bool:
        """Whether the holder surely runs no more: only this machine's own processes can be looked at."""
        if not self.pid or self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            taken_at = datetime.datetime.fromisoformat(self.since).timestamp()
            return process.create_time() > taken_at + _CLOCK_SLACK_S  # its number was given to another process
        except psutil.NoSuchProcess:
            return True
        except (psutil.AccessDenied, ValueError):
            return False


@contextlib.contextmanager
def stack_lock(folder: Path, command: str, notify: Notify) -> Iterator[None]:
    """Hold the lock files' ``folder`` for the time of a ``with`` block; locks of dead processes are broken.

    Raises:
        StateLocked: somebody who may be alive holds it.
        StateUnwritable: the lock file could not be written.
    """
    own = folder / f"{uuid.uuid4()}.json"
    _refuse_if_held(folder, own, notify)
    try:
        write_atomically(own, _content(command), 0o600)
    except OSError as problem:
        raise unwritable(own, problem, kept="Nothing was changed.") from None
    try:
        _refuse_if_held(folder, own, notify)
        yield
    finally:
        with contextlib.suppress(OSError):  # a lock that stays is broken by the next run: its holder is gone then
            own.unlink(missing_ok=True)


@contextlib.contextmanager
def lock_every_stack(backend: Path, command: str, notify: Notify) -> Iterator[None]:
    """Hold all stacks of a backend that is about to be removed; on a full disk it is enough that nobody else does.

    Raises:
        StateLocked: somebody who may be alive holds one.
    """
    with contextlib.ExitStack() as held:
        for folder in sorted((backend / ".pulumi" / "locks" / "organization").glob("*/*")):
            with contextlib.suppress(StateUnwritable):
                held.enter_context(stack_lock(folder, command, notify))
        yield


def holders(folder: Path) -> list[Holder]:
    """Everybody whose lock file lies in ``folder``, alive or dead."""
    found = (Holder.of(path) for path in sorted(folder.glob("[!.]*.json")))
    return [holder for holder in found if holder]


def is_held(folder: Path) -> bool:
    """Whether somebody who may be alive holds the lock."""
    return any(not holder.is_gone() for holder in holders(folder))


def _refuse_if_held(folder: Path, own: Path, notify: Notify) -> None:
    for holder in holders(folder):
        if holder.path == own:
            continue
        if not holder.is_gone():
            raise StateLocked(_refusal(holder))
        with contextlib.suppress(OSError):
            holder.path.unlink(missing_ok=True)
        notify(f"The stack was still locked by {holder}; that process is gone, and its lock was removed.")


def _refusal(holder: Holder) -> str:
    remedy = f"remove {holder.path} (`pulumi cancel` does the same)"
    if not holder.pid:
        return f"The stack is locked by a file that names no holder. If nobody is at work on it, {remedy}."
    return f"The stack is locked by {holder}. Wait for it to end, or end it; if it is surely gone, {remedy}."


def _content(command: str) -> bytes:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user number without a name, as containers have them
        user = str(os.getuid())
    written = {
        "pid": os.getpid(),
        "username": user,
        "hostname": socket.gethostname(),
        "timestamp": utc_now(),
        "command": command,
    }
    return json.dumps(written).encode()
