"""Deletes everything after what needs it, in parallel where nothing stands in the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from local.engine.store.model import ResourceState


def in_reverse_order_of_need(
    states: Sequence[ResourceState], act: Callable[[ResourceState], bool], workers: int
) -> None:
    """Call ``act`` for each state once it has returned true for all that need it.

    After the first ``False`` nothing new is begun; what is under way ends. Of a cycle nothing is begun.
    """
    by_urn: dict[str, list[int]] = {}
    for place, state in enumerate(states):
        by_urn.setdefault(state.urn, []).append(place)
    needed = [[other for urn in state.needs() for other in by_urn.get(urn, ())] for state in states]
    waiting = [0] * len(states)  # how many that need this one are still there
    for others in needed:
        for other in others:
            waiting[other] += 1
    changed = threading.Condition()
    ready = [place for place in reversed(range(len(states))) if waiting[place] == 0]
    running, failed = 0, False

    def run(place: int) -> None:
        nonlocal running, failed
        went_well = False
        try:
            went_well = act(states[place])
        finally:
            with changed:
                running -= 1
                failed = failed or not went_well
                for other in needed[place]:
                    waiting[other] -= 1
                    if waiting[other] == 0:
                        ready.append(other)
                changed.notify()

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="delete") as pool, changed:
        while True:
            while ready and not failed:
                running += 1
                pool.submit(run, ready.pop(0))
            if running == 0:
                return
            changed.wait()
