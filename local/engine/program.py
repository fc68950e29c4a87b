"""Runs an unmodified Pulumi program in this process, and leaves the process as it was.

The SDK keeps its settings, its root resource and the configuration in context variables: the program runs in a
context of its own, so that many programs can run in one process one after another.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import os
import re
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi.runtime.stack
from pulumi.runtime import resource, settings

from local.engine.project import Project

_STOPPED = "Resource monitor has terminated"
# How the SDK says that a feature is not among those the monitor offers (``pulumi/runtime/resource.py``).
_NOT_OFFERED = re.compile(r"The Pulumi CLI does not support (.+?)\. Please up(?:date|grade) the Pulumi CLI")


@dataclass(frozen=True)
class ProgramFailure:
    """How a program ended that did not end well; ``file`` and ``line`` are the program's own."""

    message: str
    file: str = ""
    line: int = 0
    is_stopped_by_engine: bool = False


def run_program(
    project: Project, monitor: Any, *, is_preview: bool, parallel: int, say: Callable[[str], None]
) -> ProgramFailure | None:
    """Run the program to its end, and return how it failed, if it did. ``say`` gets every line that it prints."""
    return contextvars.copy_context().run(_run, project, monitor, is_preview, parallel, say)


def _run(
    project: Project, monitor: Any, is_preview: bool, parallel: int, say: Callable[[str], None]
) -> ProgramFailure | None:
    pulumi.runtime.set_all_config(dict(project.config), list(project.secret_keys))
    settings.ROOT.set(None)
    settings.configure(
        settings.Settings(
            project=project.name,
            stack=project.stack,
            monitor=monitor,
            engine=monitor,
            parallel=parallel,
            dry_run=is_preview,
            organization="organization",
            root_directory=str(project.root),
        )
    )
    script = project.main / "__main__.py" if project.main.is_dir() else project.main
    if not script.is_file():
        return ProgramFailure(f"there is no program at {script}")
    with _surroundings(script.parent, say), _rarely_collected(), _remembered_positions(), _loop(parallel) as loop:
        try:
            loop.run_until_complete(pulumi.runtime.stack.run_in_stack(lambda: _execute(script)))
        except (Exception, SystemExit) as problem:
            return _failure(problem, script.parent)
    return None


def _execute(script: Path) -> None:
    runpy.run_path(str(script), run_name="__main__")
    # One more thing for the SDK to wait for. Its own wait (`wait_for_rpcs`) looks at all pending outputs each time one
    # comes in, which is quadratic: two thirds of the time of a preview of 7,000 resources.
    settings._get_rpc_manager().rpcs.append(asyncio.ensure_future(_outputs_have_settled()))


async def _outputs_have_settled() -> None:
    """Wait until no output of the program is pending. Failed ones stay where the SDK looks for them."""
    while pending := _pending_outputs():
        for output in pending:
            if not output.done():
                await asyncio.wait([output])


def _pending_outputs() -> list[asyncio.Task[Any]]:
    """A snapshot, under the lock that the SDK takes where it adds and removes outputs: it may do so in any thread."""
    shared: Any = settings.SETTINGS  # pyright takes its attributes for methods
    with shared.lock:
        outputs = cast("set[asyncio.Task[Any]]", shared.outputs)
        return [output for output in outputs if not output.done()]


@contextlib.contextmanager
def _loop(parallel: int) -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop of the run's own. Operations that have begun are waited for at its end, whatever happened."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # A registration that waits for another operation holds a thread, hence more threads than operations.
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4, thread_name_prefix="register")
    loop.set_default_executor(executor)
    # A program that fails leaves futures that nobody awaits; asyncio would print a traceback for each, long after.
    loop.set_exception_handler(lambda loop, context: None)
    try:
        yield loop
    finally:
        executor.shutdown(wait=True)
        _drain(loop)
        asyncio.set_event_loop(None)
        loop.close()


@contextlib.contextmanager
def _rarely_collected() -> Iterator[None]:
    """Let the garbage collector look through the oldest objects hardly ever.

    The SDK keeps each output of each resource to the program's end: searching them for garbage again and again finds
    none, and took half of the time of 7,000 resources.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.contextmanager
def _remembered_positions() -> Iterator[None]:
    """Let the SDK make each source position once.

    It makes a URI of every frame of every registration's stack: the same few each time, and a sixth of the time of a
    large program.
    """
    make = getattr(resource, "_get_source_position_for_frame", None)
    if make is None:  # not in this version of the SDK: slower, and as right
        yield
        return
    made: dict[tuple[str, int | None], Any] = {}

    def position(frame: traceback.FrameSummary) -> Any:
        key = frame.filename, frame.lineno
        if key not in made:
            made[key] = make(frame)
        return made[key]

    resource._get_source_position_for_frame = position
    try:
        yield
    finally:
        resource._get_source_position_for_frame = make


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        with contextlib.suppress(BaseException):
            loop.run_until_complete(asyncio.wait(tasks, timeout=5))


@contextlib.contextmanager
def _surroundings(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Working directory, import path and standard output as a program expects them; undone afterwards."""
    before, argv, path = Path.cwd(), sys.argv, list(sys.path)
    modules = set(sys.modules)
    os.chdir(folder)
    sys.argv = [str(folder / "__main__.py")]
    sys.path.insert(0, str(folder))
    try:
        with contextlib.redirect_stdout(_Lines(say)):
            yield
    finally:
        os.chdir(before)
        sys.argv, sys.path[:] = argv, path
        _forget_modules(folder, modules)


def _forget_modules(folder: Path, before: set[str]) -> None:
    """Let the next run import the program's own modules anew; packages that were there before stay."""
    kept = {name.partition(".")[0] for name in before}
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        is_own = file.startswith(f"{folder}{os.sep}") and "site-packages" not in file
        if is_own and name.partition(".")[0] not in kept:
            del sys.modules[name]


class _Lines:
    """A file that hands on whole lines."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._rest = ""

    def write(self, text: str) -> int:
        """Take text."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(line)
        return len(text)

    def flush(self) -> None:
        """Hand on what has no end of line yet."""
        if self._rest:
            rest, self._rest = self._rest, ""
            self._say(rest)

    def isatty(self) -> bool:
        """It is no terminal."""
        return False


def _failure(problem: BaseException, folder: Path) -> ProgramFailure | None:
    if isinstance(problem, SystemExit):
        if problem.code in (None, 0):
            return None
        return ProgramFailure(f"the program ended with exit({problem.code!r})")
    if _STOPPED in str(problem):
        return ProgramFailure(str(problem), is_stopped_by_engine=True)
    file, line = _place(problem, folder)
    not_offered = _NOT_OFFERED.search(str(problem))
    if not_offered:
        message = f"the program uses {not_offered[1]}, which the embedded engine does not offer; `--engine cli` does"
        return ProgramFailure(message, file, line)
    if isinstance(problem, pulumi.RunError):
        return ProgramFailure(str(problem), file, line)
    if isinstance(problem, SyntaxError) and problem.filename:
        return ProgramFailure(f"SyntaxError: {problem.msg}", problem.filename, problem.lineno or 0)
    return ProgramFailure(f"{type(problem).__name__}: {problem}", file, line)


def _place(problem: BaseException, folder: Path) -> tuple[str, int]:
    """The innermost line of the program itself on the way to ``problem``; of its causes where it has none."""
    current: BaseException | None = problem
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        for frame in reversed(traceback.extract_tb(current.__traceback__)):
            if frame.filename.startswith(f"{folder}{os.sep}") and "site-packages" not in frame.filename:
                return frame.filename, frame.lineno or 0
        current = current.__cause__ or current.__context__
    return "", 0
