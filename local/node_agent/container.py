"""One container of one pod as processes: everything that is known of it is on disk, so that a new agent goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.processes import ProcessRecord, alive, family, marked, send, tail

MARK = "AI_DATACENTER_CONTAINER"
"""A variable in the environment of every container's processes: finds those whose shim was killed."""

TERMINATION_LIMIT_BYTES = 4096
BACK_OFF_FIRST_S, BACK_OFF_LAST_S = 10.0, 300.0  # the kubelet's
START_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Exit:
    """How an attempt ended; times are seconds since the epoch."""

    exit_code: int
    reason: str
    message: str
    started_at: float
    finished_at: float
    signal: int = 0


class Container:
    """The attempts of one container; ``folder/<n>/`` holds attempt n, ``log`` the output of the latest."""

    def __init__(self, folder: Path, spec: Mapping[str, Any]) -> None:
        self.name: str = spec["name"]
        self.folder = folder / self.name
        self.log = folder / f"{self.name}.log"
        self._fallback = spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        self._launched_at = 0.0

    @property
    def attempts(self) -> int:
        """How many attempts were begun."""
        return sum(1 for path in self.folder.glob("*") if path.name.isdigit()) if self.folder.is_dir() else 0

    def attempt(self, number: int) -> Path:
        """The folder of one attempt, counted from 0."""
        return self.folder / str(number)

    def start(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        """Begin the next attempt."""
        number = self.attempts
        folder = self.attempt(number)
        if number and self.log.exists():
            self.log.replace(self.log.with_suffix(".previous.log"))
        folder.mkdir(parents=True)
        self._launched_at = time.time()
        termination = {"TERMINATION_LOG": str(folder / "termination"), MARK: str(folder)}
        job = json.dumps({"argv": list(argv), "env": {**env, **termination}, "cwd": str(cwd)})
        with self.log.open("ab") as output:
            shim = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("shim.py")), str(folder)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        assert shim.stdin is not None
        with shim.stdin as pipe:
            pipe.write(job.encode())
        shim.returncode = 0  # reaped by `alive`

    def shim(self) -> ProcessRecord | None:
        """The latest attempt's shim, running or not."""
        return ProcessRecord.read(self.attempt(self.attempts - 1) / "shim.process.json") if self.attempts else None

    def started_at(self) -> float | None:
        """When the latest attempt began to run; None while it does not."""
        try:
            return (self.attempt(self.attempts - 1) / "shim.process.json").stat().st_mtime
        except OSError:
            return None

    def ended(self, number: int | None = None) -> Exit | None:
        """How an attempt (the latest) ended; None while it runs or when there is none."""
        number = self.attempts - 1 if number is None else number
        if number < 0:
            return None
        folder = self.attempt(number)
        record = ProcessRecord.read(folder / "shim.process.json")
        running = record is not None and alive(record)
        try:
            status = json.loads((folder / "exit.json").read_text())
        except (OSError, ValueError):
            return None if running else self._lost(folder, record)
        return self._exit(folder, status)

    def signal(self, number: signal.Signals) -> None:
        """TERM the command; KILL everything the container has."""
        record = self.shim()
        if record is None:
            return
        if number == signal.SIGTERM:
            send(record, number)
            return
        # Not the shim: it lives to write down how the command ended.
        for member in family(record):
            if member.pid != record.pid:
                send(member, number)

    def back_off_s(self) -> float:
        """How long to wait before the next attempt, since the latest ended."""
        doubled = BACK_OFF_FIRST_S * 2.0 ** min(self.attempts - 2, 10)
        return 0.0 if self.attempts < 2 else min(doubled, BACK_OFF_LAST_S)

    def _exit(self, folder: Path, status: Mapping[str, Any]) -> Exit:
        code = int(status["exit_code"])
        error = str(status["error"])
        reason = "StartError" if error else "Completed" if code == 0 else "Error"
        message = error or self._message(folder, code)
        times = float(status["started_at"]), float(status["finished_at"])
        return Exit(code, reason, message, *times, signal=int(status["signal"]))

    def _message(self, folder: Path, code: int) -> str:
        path = folder / "termination"
        try:
            written = path.read_bytes()[:TERMINATION_LIMIT_BYTES].decode(errors="replace")
        except OSError:
            written = ""
        if not written and code and self._fallback:
            return tail(self.log, lines=80, limit_bytes=2048)  # the kubelet's limits
        return written

    def _lost(self, folder: Path, record: ProcessRecord | None) -> Exit | None:
        """The shim is dead and has written nothing: it was killed, or the machine was restarted."""
        began = folder.stat().st_mtime
        if record is None and time.time() - began < START_TIMEOUT_S:
            return None  # it is just starting
        for orphan in marked(MARK, str(folder)):
            send(orphan, signal.SIGKILL)
        message = "its processes were killed from outside, or the machine was restarted while it ran"
        status = {"exit_code": 137, "signal": 9, "error": "", "started_at": began, "finished_at": time.time()}
        (folder / "exit.json").write_text(json.dumps(status))
        if not (folder / "termination").exists():
            (folder / "termination").write_text(message)
        return self._exit(folder, status)
