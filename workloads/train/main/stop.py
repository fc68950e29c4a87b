"""SIGTERM: a process that has nothing to save yet ends at once; where it trains, all save after the same step."""

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
            where = f"{run.job.node} was told to stop (SIGTERM) while {run.phase}"
            run.fail(f"{where}, before the first step is done: nothing is saved")
            os._exit(1)
    os.close(woken)


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
