"""One process's part of a job: where it is, what it has found out, and how it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from train.config.job import Job
from train.metrics.times import StepTimes, Track
from train.parallel.heartbeat import Heartbeat
from train.parallel.peers import Peers
from train.parallel.watchdog import Watchdog, last_words
from train.report import Series, Verdict, deliver, leave_reason, now, of_workers


def say(text: str) -> None:
    """One line of progress, on stderr: stdout carries the verdict alone."""
    os.write(2, f"train: {text}\n".encode())


@dataclass
class Run:
    """One process's part of a job; ``verdict`` fills up as facts become known.

    Attributes:
        stopping: the signal that told it to stop; empty while none did.
        training: the first step is done, and after each it can stop and lose nothing.
        times: of the steps; None before there are any.
    """

    job: Job
    environ: Mapping[str, str]
    verdict: Verdict
    stopping: str = ""
    training: bool = False
    phase: str = "starting"
    track: Track = field(default_factory=Track)
    times: StepTimes | None = None
    own_s: tuple[tuple[float | None, ...], ...] = ()
    peers: Peers = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    watchdog: Watchdog = field(init=False)
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.peers = Peers(self.job)
        self.heartbeat = Heartbeat(self.job, self.peers)
        self.watchdog = Watchdog(self.fail, self.heartbeat.missing)

    def enter(self, phase: str) -> None:
        """Name what is being done, in the log and for the case that the process dies in it."""
        self.phase = phase
        self.heartbeat.at(phase)
        say(f"{phase} (process {self.job.index} of {self.job.processes} on {self.job.node})")
        leave_reason(f"the process ended without a verdict while {phase}", self.environ)

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Within the block ``what`` is done; a hang of it ends the process."""
        self.enter(what)
        with self.watchdog.limit(self.job.config.step_timeout_s, what):
            yield

    def fail(self, reason: str, *, of_all: bool = False) -> None:
        """Tell the others, report, and see them off. Only the first failure of a process is heard.

        The reason is this process's, unless it is ``of_all``.
        """
        self._ending.acquire()  # never released: whoever comes second waits for the process to end
        own = f"process {self.job.index}: {reason}" if self.job.processes > 1 and not of_all else reason
        with last_words():
            self.peers.announce(own)
            self.report(own)

    def fail_with_peer(self, reason: str) -> None:
        """Another process failed: report its reason and end, whatever the main thread waits for."""
        self._ending.acquire()
        with last_words():
            self.report(reason)
        os._exit(1)

    def report(self, reason: str) -> None:
        """The verdict of a failed run."""
        say(f"FAIL: {reason}")
        leave_reason(reason, self.environ)  # before the verdict is stored, which may take for ever
        self.finish(replace(self.verdict, passed=False, reason=reason))
        self.peers.see_off()

    def finish(self, verdict: Verdict) -> bool:
        """Deliver the verdict; only process 0 stores it."""
        uri = self.job.config.verdict_uri if self.job.first else ""
        told = replace(self._with_times(verdict), finished_at=now(), series=self._series())
        return deliver(told, uri, self.environ).passed

    def _with_times(self, verdict: Verdict) -> Verdict:
        """With those of the steps so far, which are too many to sort after each."""
        if (times := self.times) is None or not verdict.steps:
            return verdict
        p50, p95 = times.percentile_s(50), times.percentile_s(95)
        return replace(verdict, tokens_per_s=times.tokens_per_s(), step_time_p50_s=p50, step_time_p95_s=p95)

    def _series(self) -> Series | None:
        """The curves; of a training that ended early only this worker's, for the others were not asked."""
        points, nodes = self.track.points, self.verdict.nodes
        if not points:
            return None
        own = [tuple(point.own_s for point in points)]
        workers = of_workers(nodes, self.own_s) if self.own_s else of_workers([self.job.node], own)
        curves = [(point.step, point.loss, point.seconds) for point in points]
        steps, losses, seconds = zip(*curves, strict=True)
        return Series(steps, losses, seconds, workers)
