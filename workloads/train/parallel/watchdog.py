"""Nothing waits for ever: work that may be given up, and phases that end their process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

LAST_WORDS_S = 60.0  # for a verdict to be stored by a slow bucket, and for the others to be seen off


@contextmanager
def _unless_done_in(seconds: float, call: Callable[[], object]) -> Iterator[None]:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def last_words() -> Iterator[None]:
    """Within the block the process says why it ends; after ``LAST_WORDS_S`` it ends, whatever it still waits for."""
    with _unless_done_in(LAST_WORDS_S, lambda: os._exit(1)):
        yield


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """What ``work`` gives; None where it takes longer or fails. It is then left to itself."""
    found: list[T] = []

    def run() -> None:
        with suppress(Exception):
            found.append(work())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else None


class Watchdog:
    """Ends the process when a phase outlives its time.

    A collective whose peer is gone waits in native code, where no exception reaches it; only leaving helps.
    """

    def __init__(self, on_timeout: Callable[[str], None], why: Callable[[], str] = lambda: "") -> None:
        self._on_timeout, self._why = on_timeout, why

    @contextmanager
    def limit(self, seconds: float, what: str, why: Callable[[], str] | None = None) -> Iterator[None]:
        """Within the block, ``what`` may take ``seconds``; after them the reason is reported and the process exits.

        ``why``, or else the watchdog's own, is asked then for what can be found out about it, and adds to the reason.
        """
        reason = f"{what} took longer than {seconds:g} s"
        with _unless_done_in(seconds, lambda: self._expire(reason, why or self._why)):
            yield

    def _expire(self, reason: str, why: Callable[[], str]) -> None:
        try:
            with last_words():
                self._on_timeout(f"{reason}{': ' if (found := why()) else ''}{found}")
        finally:
            os._exit(1)
