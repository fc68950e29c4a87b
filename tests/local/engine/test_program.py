"""Waiting for a program's outputs does not stumble over those that other threads add."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.runtime import settings

from local.engine import program


class Guarded(set[Any]):
    """Outputs that may only be looked through by who holds the lock."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__()
        self.lock = lock

    def __iter__(self) -> Iterator[Any]:
        assert self.lock.locked(), "looked through without the lock"
        return super().__iter__()


def test_outputs_are_looked_through_under_the_lock_and_waited_for_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    outputs = Guarded(lock)
    monkeypatch.setattr(settings, "SETTINGS", SimpleNamespace(outputs=outputs, lock=lock))

    async def add(rest: int) -> None:
        await asyncio.sleep(0)
        assert not lock.locked(), "nobody can add an output while the program is waited for"
        if rest:
            with lock:
                outputs.add(asyncio.ensure_future(add(rest - 1)))

    async def run() -> None:
        outputs.add(asyncio.ensure_future(add(3)))
        await asyncio.wait_for(program._outputs_have_settled(), 5)

    asyncio.run(run())
    assert len(outputs) == 4
    with lock:
        assert all(output.done() and output.exception() is None for output in outputs)
