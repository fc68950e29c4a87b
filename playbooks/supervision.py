"""A child that leaves nothing behind: when the process that started it is gone, so is everything it started.

The caller holds the writing end of the child's standard input. However the caller ends, SIGKILL included, the kernel
closes that end; the child reads the end of its input and kills all its descendants. As a subreaper it stays the
ancestor even of those that put themselves into the background.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

import psutil

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_LONGEST_TEMP = 60
"""A socket's path has at most 107 characters, and those in the private folder need 45."""
_GRACE_S = 10.0

Event = dict[str, Any]


def events_of(module: str, request: Mapping[str, Any], keep: tuple[int, ...] = ()) -> Generator[Event]:
    """Start ``python -m module`` with a request, and give the events that it writes, until it ends.

    Args:
        keep: descriptors that the child inherits.
    """
    # A pipe that nobody reads before the end would hold the child up as soon as it is full.
    with tempfile.TemporaryFile() as errors:
        yield from _events(module, request, keep, errors)


def _events(module: str, request: Mapping[str, Any], keep: tuple[int, ...], errors: IO[bytes]) -> Generator[Event]:
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
        pass_fds=keep,
        start_new_session=True,  # Ctrl-C reaches the caller alone, which then ends the child
    )
    assert child.stdin
    assert child.stdout
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps({**request, "keep": keep}) + "\n")
            child.stdin.flush()
        for line in child.stdout:
            yield json.loads(line)
        yield {"event": "ended", "status": child.wait(), "errors": _end_of(errors)}
    finally:
        _end(child)


def _end(child: subprocess.Popen[str]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        child.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_of(file: IO[bytes], limit_bytes: int = 4000) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - limit_bytes))
    return file.read().decode(errors="replace")


class Supervised:
    """The child's side: its request, its private folder, and its end."""

    def __init__(self) -> None:
        self._output = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)  # what libraries print is no event
        self._private = Path()
        self._lock = threading.Lock()

    def __enter__(self) -> tuple[Event, Path]:
        request = json.loads(sys.stdin.readline() or "null")
        if request is None:
            raise SystemExit(1)
        for descriptor in request["keep"]:
            os.set_inheritable(descriptor, False)
        _become_subreaper()
        self._private = Path(tempfile.mkdtemp(prefix="aidc-", dir=_temp_folder()))
        threading.Thread(target=self._watch, daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: self._leave(128 + received))
        return request, self._private

    def __exit__(self, *_: object) -> None:
        self._clean()

    def emit(self, **event: Any) -> None:
        """Tell the caller one event."""
        with contextlib.suppress(BrokenPipeError), self._lock:
            self._output.write(json.dumps(event) + "\n")

    def _watch(self) -> None:
        while os.read(0, 4096):
            pass
        self._leave(1)

    def _leave(self, status: int) -> NoReturn:
        self._clean()
        os._exit(status)

    def _clean(self) -> None:
        end_descendants()
        shutil.rmtree(self._private, ignore_errors=True)


def end_descendants() -> None:
    """Kill everything that this process started, and what that started, until nothing is left."""
    own = psutil.Process()
    for _ in range(50):
        found = own.children(recursive=True)
        if not found:
            return
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.2)


def _become_subreaper() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _temp_folder() -> str:
    """The user's folder for temporary files, unless its name leaves too little room for a socket's path."""
    chosen = tempfile.gettempdir()
    return chosen if len(chosen) <= _LONGEST_TEMP else "/tmp"
