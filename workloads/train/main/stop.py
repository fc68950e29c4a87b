"""SIGTERM: who has nothing to save yet ends within seconds; where it trains, all save after the same step."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from train.config.failure import Failure
from train.main.run import Run
from train.parallel.watchdog import within

_LOOK_S = 4.0  # for who is silent, which takes 2.5 s; all that follows must still fit into the 30 s of a pod


@contextmanager
def sigterm(run: Run) -> Iterator[None]:
    """Within the block the run hears SIGTERM, for which the first process of a container has no default action.

    Python runs a handler only when the main thread comes back from native code, and there it may wait for others. So a
    thread is woken.
    """
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)

    def note(number: int, frame: FrameType | None) -> None:
        run.stopping = True

    before = signal.signal(signal.SIGTERM, note), signal.set_wakeup_fd(wakes)
    threading.Thread(target=_listen, args=[run, woken], daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.set_wakeup_fd(before[1])
        os.close(wakes)


def _listen(run: Run, woken: int) -> None:
    """Until the other end is closed."""
    while number := os.read(woken, 1):
        if number[0] == signal.SIGTERM and not run.training:
            cause = within(_LOOK_S, lambda: _failure_of_a_peer(run))
            if run.training:  # the first step is done meanwhile: it stops after one, which is saved
                continue
            where = f"{run.job.node} was told to stop (SIGTERM) while {run.phase}"
            why = cause or Failure(f"{where}, before the first step is done: nothing is saved")
            run.fail(str(why), of_all=why.of_all)
            os._exit(1)
    os.close(woken)


def _failure_of_a_peer(run: Run) -> Failure | None:
    """What came before SIGTERM, if anything did: when one pod of a job fails, Kubernetes tells the others to stop."""
    if announced := run.peers.announced():
        return Failure(f"{announced} (then SIGTERM)", of_all=True)
    if silent := run.heartbeat.silent():
        return Failure(f"{run.phase} failed: {silent} (then SIGTERM)")
    return None


def asked_to_stop(run: Run, step: int) -> str:
    """Because of whom all are to stop after this step, which is done; empty while nobody must."""
    me = f"process {run.job.index} on {run.job.node}"
    if run.stopping and not run.job.first:
        run.peers.ask_to_stop(me)
    if run.job.first and not run.peers.stops_after()[0] and (who := me if run.stopping else run.peers.asked_to_stop()):
        run.peers.stop_after(step + (run.job.processes > 1), who)
    last, who = run.peers.stops_after()
    return who if last and last == step else ""


def end(run: Run, who: str, *, is_saved: bool) -> None:
    """Raise the reason, when all is saved that is to be; process 0 does for all."""
    if not run.job.first:
        time.sleep(run.job.config.step_timeout_s)  # process 0 says why, and that ends this one
    saved = f"saved as {run.verdict.checkpoint}" if is_saved else "nothing is saved without a checkpoint_uri"
    raise Failure(f"{who} was told to stop (SIGTERM) after step {run.verdict.steps}: {saved}")
