"""The commands that the set-up runs: each with a log, watched, and ended when the set-up ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

HEARTBEAT_S = 8.0
"""Longest silence of a running step, in seconds."""


class CommandFailed(Exception):
    """A command of a step ended with an error; the message holds the end of its log."""


class Stopped(Exception):
    """The set-up is ending; no further command is started."""


@dataclass
class Progress:
    """What one step tells: lines with the step's name and the time since it began."""

    name: str
    stream: TextIO
    started: float = field(default_factory=time.monotonic)
    last_said: float = field(default_factory=time.monotonic)
    kept: tuple[int, ...] = ()

    def say(self, text: str) -> None:
        """Write one line."""
        self.last_said = time.monotonic()
        self.stream.write(f"{self.name:<11} {self.last_said - self.started:6.1f} s  {text}\n")
        self.stream.flush()

    def say_if_silent(self, text: str) -> None:
        """Write one line when the last one is long ago."""
        if time.monotonic() - self.last_said >= HEARTBEAT_S:
            self.say(text)

    def keep_open(self, descriptor: int) -> None:
        """Let the commands of this step inherit a descriptor."""
        self.kept = (*self.kept, descriptor)


class Children:
    """All commands of one set-up, so that they can be ended together."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._is_stopped = False

    def run(
        self,
        argv: Sequence[str | Path],
        log: Path,
        progress: Progress,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        total: int | None = None,
    ) -> str:
        """Run a command to its end; its output goes to ``log`` and is returned.

        Args:
            total: how many lines it will write at most, where each line is one piece of work.

        Raises:
            CommandFailed: it cannot be started, or ended with an error.
            Stopped: the set-up is ending.
        """
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            child = self._start([str(word) for word in argv], output.fileno(), progress.kept, cwd, env)
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = child.wait(timeout=0.2)
                    break
                progress.say_if_silent(_where(_since(log, begin), total))
        finally:
            with self._guard:
                self._running.discard(child)
        self.require_running()
        if code != 0:
            raise CommandFailed(_failure(argv, code, log, begin))
        return _since(log, begin)

    def require_running(self) -> None:
        """Raise `Stopped` when the set-up is ending."""
        if self._is_stopped:
            raise Stopped

    def _start(
        self, argv: list[str], output: int, kept: tuple[int, ...], cwd: Path | None, env: Mapping[str, str] | None
    ) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._is_stopped:
                raise Stopped
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=dict(env) if env is not None else None,
                    pass_fds=kept,
                    start_new_session=True,  # a Ctrl-C reaches the set-up only, which then ends whole groups
                )
            except OSError as problem:
                raise CommandFailed(f"cannot start {argv[0]}: {problem.strerror}") from problem
            self._running.add(child)
            return child

    def stop(self, grace_s: float = 5.0) -> None:
        """End every command with all that it started, and start no other."""
        with self._guard:
            self._is_stopped = True
            running = tuple(self._running)
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        for child in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
            _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _since(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")


def _where(output: str, total: int | None) -> str:
    lines = output.splitlines()
    last = lines[-1].strip()[:90] if lines else "has said nothing yet"
    return f"{len(lines)} of {total}: {last}" if total else last


def _failure(argv: Sequence[str | Path], code: int, log: Path, begin: int) -> str:
    how = f"ended with status {code}" if code > 0 else f"was ended by signal {-code}"
    lines = [f"    {line}" for line in _since(log, begin).splitlines()[-12:]]
    shown = " ".join(map(str, argv[:4])) + (" …" if len(argv) > 4 else "")
    return "\n".join([f"`{shown}` {how}. The end of {log}:", *lines])
