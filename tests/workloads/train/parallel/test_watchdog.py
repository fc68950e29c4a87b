"""Nothing waits for ever, the ending neither."""

from __future__ import annotations

import os
import threading
from queue import Empty, SimpleQueue

import pytest
from train.parallel import watchdog
from train.parallel.watchdog import Watchdog, last_words


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[int]:
    """The statuses that the process would have ended with."""
    found = SimpleQueue[int]()
    monkeypatch.setattr(os, "_exit", found.put)
    monkeypatch.setattr(watchdog, "LAST_WORDS_S", 0.05)
    return found


def test_last_words_that_take_too_long_are_cut_off(exits: SimpleQueue[int]) -> None:
    with last_words():
        assert exits.get(timeout=10) == 1


def test_a_process_that_has_said_its_last_words_ends_by_itself(exits: SimpleQueue[int]) -> None:
    with last_words():
        pass
    with pytest.raises(Empty):
        exits.get(timeout=0.2)


def test_a_reason_that_cannot_be_found_out_does_not_keep_the_process(exits: SimpleQueue[int]) -> None:
    found_out = threading.Event()
    with Watchdog(lambda reason: None, lambda: str(found_out.wait(20))).limit(0.01, "it"):
        assert exits.get(timeout=10) == 1
        found_out.set()
        assert exits.get(timeout=10) == 1  # its own, before the test ends
