"""The checks alone, as a table or as JSON, of this machine or of a job's nodes; see ``python -m train.checks``.

With ``verify_node`` a pod does it on a new node of a cluster (:mod:`train.checks.node`), which takes work only then.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import jax

from train.checks import devices, run, table
from train.checks.estimate import Status
from train.checks.health import Health
from train.checks.node import Node
from train.config.failure import Failure
from train.config.job import Job, load
from train.parallel.mesh import make_mesh
from train.parallel.peers import Peers
from train.parallel.watchdog import Watchdog


def say(text: str) -> None:
    """One line of progress, on stderr."""
    os.write(2, f"checks: {text}\n".encode())


def check(environ: Mapping[str, str], *, output: str = "text", verify_node: bool = False) -> int:
    """Run the checks; returns the exit status."""
    try:
        job = load(environ)
        own = Node.of(job.node, environ) if verify_node else None
        if own:
            own.keep_out()
    except Failure as failure:
        return _fail(str(failure))
    # Whoever asks for the checks alone wants to know; but the speed of what stands in for chips says nothing of a node.
    how = "report" if job.emulated_devices else "strict" if job.config.checks == "auto" else job.config.checks
    job = replace(job, config=job.config.model_copy(update={"checks": how}))
    reason = _reason_against(job, output, own)
    if own:
        return _settle(own, reason)
    return 1 if reason else 0


def _reason_against(job: Job, output: str, own: Node | None) -> str:
    """Check, print what was found, and say what is wrong; empty where all is well."""
    peers = Peers(job)
    try:
        found = _check(job, peers, lambda reason: _tell(own, reason))
    except Exception as error:  # a peer that died shows as one of many runtime errors of the backend
        first_line = next(iter(str(error).splitlines()), "")
        kind = "" if isinstance(error, Failure) else f"{type(error).__name__}: "
        reason = f"{job.node}: {kind}{first_line[:300]}"
        peers.announce(reason)
        _fail(reason)
        peers.see_off()
        return reason
    if job.first:
        text = found.model_dump_json() if output == "json" else "\n".join(table.lines(found))
        os.write(1, f"{text}\n".encode())
    if job.emulated_devices:
        return found.wrong
    return "" if found.status is Status.PASS else found.reason or found.status.value


def _settle(own: Node, reason: str) -> int:
    """Let the node in and wait to be taken away, or say on it what is wrong and end, to be started again."""
    if reason:
        _tell(own, reason)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # the first process of a container has no default for it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # the thread that waits for it no longer gets it
    try:
        own.let_in()
    except Failure as failure:
        return _fail(str(failure))
    say(f"node {own.name} is verified")
    while True:  # its label is gone, for which whoever started this ends it
        signal.pause()


def _tell(own: Node | None, reason: str) -> None:
    if own is None:
        return
    try:
        own.tell(reason)
    except Failure as failure:
        say(f"the reason could not be written on the node: {failure}")


def _check(job: Job, peers: Peers, tell: Callable[[str], None]) -> Health:
    def hung(reason: str) -> None:
        say(f"FAIL: {reason}")
        tell(f"{job.node}: {reason}")

    limits, diagnose = job.config, peers.diagnose if job.processes > 1 else None
    if job.emulated_devices:
        jax.config.update("jax_num_cpu_devices", job.emulated_devices)
    watchdog = Watchdog(hung)
    with watchdog.limit(limits.startup_timeout_s, "waiting for all processes", diagnose):
        peers.connect()
        peers.listen(_end)
        mesh = make_mesh()

    @contextmanager
    def stage(what: str) -> Iterator[None]:
        say(what)
        with watchdog.limit(limits.step_timeout_s, what):
            yield

    devices.check_devices(job)
    devices.check_processes(job, mesh)
    found = run.run(job, peers, mesh, stage)
    with watchdog.limit(limits.step_timeout_s, "leaving together"):
        peers.leave()
    return found


def _fail(reason: str) -> int:
    say(f"FAIL: {reason}")
    return 1


def _end(reason: str) -> None:
    """Another process failed: end, whatever the main thread waits for."""
    _fail(reason)
    os._exit(1)
