"""Preview, up, refresh and destroy: the order in which a run does things, and what it hands back."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.engine.events import Command, Display, OutputsReady, Result, RunFinished, RunStarted
from local.engine.monitor import Monitor, config_by_package
from local.engine.program import run_program
from local.engine.project import Project
from local.engine.reads import refresh
from local.engine.removal import Removal
from local.engine.resources import Resources
from local.engine.run import Log, NoLog, Run
from local.engine.store.model import ResourceState, Snapshot
from local.engine.store.store import StateStore
from local.engine.urns import STACK_TYPE, Naming
from local.engine.values import Values, reveal


class Engine:
    """Runs one project's program against providers in this process, on a state of the CLI's own format."""

    def __init__(
        self, project: Project, store: StateStore, providers: Mapping[str, Callable[[], Any]], display: Display,
        parallel: int = 16,
    ) -> None:  # fmt: skip
        """``providers`` makes an unconfigured ``ResourceProviderServicer`` for each package, one a provider resource.

        ``parallel`` is how many operations may be under way at once.
        """
        self._project = project
        self._store = store
        self._providers = providers
        self._display = display
        self._parallel = parallel

    def preview(self, refresh: bool = False) -> Result:
        """What ``up`` would do; nothing is changed. With ``refresh``, starting from what really is."""
        return self._conclude(*self._attempt("preview", self._store.open(), NoLog(), refresh))

    def up(self, refresh: bool = False) -> Result:
        """Bring the world to what the program declares. With ``refresh``, starting from what really is."""
        return self._locked("up", refresh)

    def refresh(self) -> Result:
        """Bring the state to what really is; the world stays as it is."""
        return self._locked("refresh", False)

    def destroy(self) -> Result:
        """Delete everything that the state holds."""
        return self._locked("destroy", False)

    def _locked(self, command: Command, refresh: bool) -> Result:
        with self._store.lock(command):
            base = self._store.open()
            with self._store.journal(base) as journal:
                run, outputs, phases = self._attempt(command, base, journal, refresh)
                began = time.monotonic()
                self._store.commit(journal.snapshot())
                phases["commit"] = time.monotonic() - began
        return self._conclude(run, outputs, phases)

    def _attempt(
        self, command: Command, base: Snapshot, log: Log, with_refresh: bool
    ) -> tuple[Run, Values, dict[str, float]]:
        naming = Naming(self._project.stack, self._project.name)
        run = Run(command, naming, base, log, self._providers, self._display, self._parallel)
        for state in base.resources:
            run.keep_secret([state.inputs, state.outputs])
        run.keep_secret(list(config_by_package(dict(self._project.config), self._project.secret_keys).values()))
        run.emit(RunStarted(command, self._project.name, self._project.stack, len(base.resources)))
        phases = {"start": time.monotonic()}
        outputs: Values = {}
        with _interruptible(run):
            if not run.is_preview:
                with _timed(phases, "recovery"):
                    Removal(run).take_up(base.pending_operations)
            if with_refresh or command == "refresh":
                # What an up then mends it counts itself.
                with _timed(phases, "refresh"), contextlib.nullcontext() if command == "refresh" else run.aside():
                    refresh(run, list(run.olds.values()))
            if command in ("preview", "up"):
                outputs = self._follow_program(run, phases)
            elif command == "destroy":
                with _timed(phases, "deletes"):
                    self._destroy(run)
            else:
                outputs = _stack_outputs(run.olds)
        return run, outputs, phases

    def _follow_program(self, run: Run, phases: dict[str, float]) -> Values:
        if run.is_stopped or run.is_interrupted:
            return {}
        resources = Resources(run)
        config = config_by_package(dict(self._project.config), self._project.secret_keys)
        monitor = Monitor(run, resources, self._project.root, config)
        with _timed(phases, "program"):
            failure = run_program(
                self._project, monitor, is_preview=run.is_preview, parallel=self._parallel,
                say=lambda line: run.tell("info", line),
            )  # fmt: skip
        if failure is not None and not (failure.is_stopped_by_engine and (run.is_stopped or run.is_interrupted)):
            run.tell("error", failure.message, file=failure.file, line=failure.line)
        if not run.is_stopped and not run.is_interrupted:
            with _timed(phases, "deletes"):
                self._delete_the_rest(run, resources)
        return monitor.outputs

    def _delete_the_rest(self, run: Run, resources: Resources) -> None:
        """Delete what the program does not name any more, and what replacements have superseded."""
        unnamed = [state for urn, state in run.olds.items() if urn not in run.goals and urn not in resources.claimed]
        for state in unnamed:
            run.registered(state.urn, state.type, state.parent)
        Removal(run).remove_all([*unnamed, *run.superseded])

    def _destroy(self, run: Run) -> None:
        states = [*run.olds.values(), *run.superseded]
        for state in run.olds.values():
            run.registered(state.urn, state.type, state.parent)
        if not run.is_stopped:
            Removal(run).remove_all(states)

    def _conclude(self, run: Run, outputs: Values, phases: dict[str, float]) -> Result:
        duration = time.monotonic() - phases.pop("start")
        shown = run.clean_values(outputs)
        if outputs:
            run.emit(OutputsReady(shown))
        result = Result(
            command=run.command, changes=dict(run.counts), steps=tuple(run.steps), outputs=shown,
            raw_outputs=reveal(outputs), errors=tuple(run.errors), duration_s=duration, phases=phases,
            types=_types(run), interrupted=run.is_interrupted,
        )  # fmt: skip
        run.emit(RunFinished(result))
        return result


def _types(run: Run) -> dict[str, int]:
    if run.command == "destroy":
        return {}
    states = run.news if run.command in ("preview", "up") else run.olds
    return dict(Counter(state.type for state in states.values()))


def _stack_outputs(states: Mapping[str, ResourceState]) -> Values:
    return next((dict(state.outputs) for state in states.values() if state.type == STACK_TYPE), {})


@contextlib.contextmanager
def _timed(phases: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        phases[name] = phases.get(name, 0.0) + time.monotonic() - began


@contextlib.contextmanager
def _interruptible(run: Run) -> Iterator[None]:
    """Ctrl-C lets what has begun come to its end and begins nothing new; a second one stops at once.

    Nothing is lost by the second either: the journal says what was under way.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        if run.is_interrupted:
            raise KeyboardInterrupt
        run.is_interrupted = True
        # Shown by a thread of its own: the interrupted thread may be holding the display's lock.
        text = "interrupted: what has begun comes to its end, nothing new begins; once more stops at once"
        threading.Thread(target=run.tell, args=("warning", text)).start()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
