"""Kills an ``up`` at every point: before each record of the journal and each change of the world, and after the last.

What is killed after one of them leaves what is killed before the next: nothing is written between.

``python -m tests.local.engine.killed_up <stack folder> <folder for the attempts>`` leaves one folder a point, named by
its number, as the killed process left it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from local.engine.store.journal import Journal
from tests.local.engine.conftest import SECRETS, Stack
from tests.local.engine.null_provider import World

LAST = "committing"
_points = 0
_lock = threading.Lock()


def _point(limit: int) -> None:
    global _points
    with _lock:
        _points += 1
        if _points == limit:
            os.kill(os.getpid(), signal.SIGKILL)


def _killing(kind: type, name: str, limit: int) -> None:
    original = getattr(kind, name)

    def around(*args: Any, **options: Any) -> Any:
        _point(limit)
        answer = original(*args, **options)
        if name == LAST:
            _point(limit)
        return answer

    setattr(kind, name, around)


def main() -> None:
    """Kill an ``up`` of a copy of the stack at each point in turn, until there is no further point."""
    stack, attempts = Path(sys.argv[1]), Path(sys.argv[2])
    SECRETS.unlock()  # derives the key once for all the children
    for point in range(1, 1000):
        attempt = attempts / str(point)
        shutil.copytree(stack, attempt)
        child = os.fork()  # of a process without threads: everything is imported, nothing has begun
        if child == 0:
            _up(attempt, point)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            shutil.rmtree(attempt)
            sys.exit(os.waitstatus_to_exitcode(status))


def _up(folder: Path, limit: int) -> NoReturn:
    for name in ("begin", "end", "failed", LAST):
        _killing(Journal, name, limit)
    for name in ("put", "remove"):
        _killing(World, name, limit)
    result = Stack(folder, World(folder / "world")).engine(parallel=1).up()
    os._exit(1 if result.errors else 0)


if __name__ == "__main__":
    main()
