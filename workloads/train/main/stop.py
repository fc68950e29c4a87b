"""SIGTERM or Ctrl-C: who has nothing to save yet ends within seconds; where it trains, all save after the same step."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from train.config.failure import Failure
from train.main.run import Run, say
from train.parallel.signals import that_stop
from train.parallel.watchdog import within
from train.report import leave_reason

_AGAIN_S = 1.0  # what comes sooner is the same Ctrl-C: a terminal's, and that of a wrapper which passes it on
_LOOK_S = 4.0  # for who is silent, which takes 2.5 s; all that follows must still fit into the 30 s of a pod


@contextmanager
def signals(run: Run) -> Iterator[None]:
    """Within the block the run hears what tells it to stop; the first process of a container has no default for it.

    Python runs a handler only when the main thread comes back from native code, and there it may wait for others. So a
    thread is woken.
    """
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)

    def note(number: int, frame: FrameType | None) -> None:
        run.stopping = run.stopping or signal.Signals(number).name

    before = {each: signal.signal(each, note) for each in that_stop()}
    woken_before = signal.set_wakeup_fd(wakes)
    threading.Thread(target=_listen, args=[run, woken], daemon=True).start()
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(woken_before)
        os.close(wakes)


def _listen(run: Run, woken: int) -> None:
    """Until the other end is closed. Who presses Ctrl-C again waits no longer; nobody sends SIGTERM twice for that."""
    first_at: float | None = None
    while number := os.read(woken, 1):
        told = signal.Signals(number[0])
        if told not in (signal.SIGTERM, signal.SIGINT):
            continue
        if first_at is None:
            first_at = time.monotonic()
            if not run.training:
                # Beside this, which must hear the next one.
                threading.Thread(target=_end_early, args=[run, told.name], name="ending", daemon=True).start()
        elif told is signal.SIGINT and time.monotonic() - first_at > _AGAIN_S:
            _end_at_once(run)
    os.close(woken)


def _end_early(run: Run, told: str) -> None:
    """Nothing is there to be saved; but who failed before may be the reason."""
    cause = within(_LOOK_S, lambda: _failure_of_a_peer(run, told))
    if run.training:  # the first step is done meanwhile: it stops after one, which is saved
        return
    where = f"{run.job.node} was told to stop ({told}) while {run.phase}"
    why = cause or Failure(f"{where}, before the first step is done: nothing is saved")
    run.fail(str(why), of_all=why.of_all)
    os._exit(1)


def _end_at_once(run: Run) -> None:
    reason = f"{run.job.node} was told to stop (SIGINT) again while {run.phase}: ended at once, without a verdict"
    say(f"FAIL: {reason}; checkpoints that were saved stay")
    leave_reason(reason, run.environ)
    os._exit(128 + signal.SIGINT)


def _failure_of_a_peer(run: Run, told: str) -> Failure | None:
    """What came before, if anything did: when one pod of a job fails, Kubernetes tells the others to stop."""
    if announced := run.peers.announced():
        return Failure(f"{announced} (then {told})", of_all=True)
    if silent := run.heartbeat.silent():
        return Failure(f"{run.phase} failed: {silent} (then {told})")
    return None


def asked_to_stop(run: Run, step: int) -> str:
    """Who was told to, and by what, where all are to stop after this step, which is done; empty while nobody must."""
    told = run.stopping  # once: it may be set meanwhile
    me = f"process {run.job.index} on {run.job.node} was told to stop ({told})"
    if told and not run.job.first:
        run.peers.ask_to_stop(me)
    if run.job.first and not run.peers.stops_after()[0] and (who := me if told else run.peers.asked_to_stop()):
        run.peers.stop_after(step + (run.job.processes > 1), who)
    last, who = run.peers.stops_after()
    return who if last and last == step else ""


def end(run: Run, who: str, *, is_saved: bool) -> None:
    """Raise the reason, when all is saved that is to be; process 0 does for all."""
    if not run.job.first:
        time.sleep(run.job.config.step_timeout_s)  # process 0 says why, and that ends this one
    saved = f"saved as {run.verdict.checkpoint}" if is_saved else "nothing is saved without a checkpoint_uri"
    raise Failure(f"{who} after step {run.verdict.steps}: {saved}")
