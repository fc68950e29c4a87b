"""One run at a time: a lock file that says who holds it.

The kernel holds the lock for the caller and for the child that runs Ansible, and frees it when both are gone: a run
that was killed locks nobody out, and nobody begins while its last processes are being ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .results import ConvergeError


@dataclass(frozen=True)
class Lock:
    """A lock file.

    Attributes:
        path: the file; whoever agrees on it takes turns.
        purpose: what the holder is doing, for whoever waits.
        wait_s: how long to wait for another holder; 0 refuses at once.
    """

    path: Path
    purpose: str
    wait_s: float = 0.0

    @contextlib.contextmanager
    def held(self, say: Callable[[str], None]) -> Iterator[int]:
        """Hold it; gives the descriptor, which a child may inherit so that the lock outlives this process.

        Raises:
            ConvergeError: another process holds it, and did not let go within ``wait_s``; or its file cannot be opened.
        """
        descriptor = self._open()
        try:
            self._take(descriptor, say)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "purpose": self.purpose}).encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConvergeError(
                f"The lock file {self.path} cannot be opened: {error.strerror}. "
                f"`ls -ld {self.path.parent} {self.path}` shows whose it is: run this as that user, or remove the file "
                f"when nothing configures machines."
            ) from None

    def _take(self, descriptor: int, say: Callable[[str], None]) -> None:
        deadline, told = time.monotonic() + self.wait_s, False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() >= deadline:
                raise ConvergeError(
                    f"{self._holder(descriptor)} is configuring machines already. Wait for it to end, or end it, and "
                    f"run this again."
                )
            if not told:
                say(f"Waits for {self._holder(descriptor)}, which is configuring machines.")
                told = True
            time.sleep(0.1)

    @staticmethod
    def _holder(descriptor: int) -> str:
        try:
            written = json.loads(os.pread(descriptor, 4096, 0))
            return f"process {int(written['pid'])} ({written['purpose']})"
        except (ValueError, KeyError, TypeError):
            return "another process"
