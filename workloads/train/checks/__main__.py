"""``python -m train.checks``: the checks alone, as a table or as JSON. Exit status 0: all well; 1: not, or not known.

It is told the same as a training, by environment variables (:mod:`train.config`), and of none of them needs any: then
it checks this machine alone, and what has neither a floor nor a peer is told and not judged.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from train import checks, parallel
from train.checks import devices, run, table
from train.checks.estimate import Status
from train.checks.health import Health
from train.config import Failure, Job, load


def say(text: str) -> None:
    """One line of progress, on stderr."""
    os.write(2, f"checks: {text}\n".encode())


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the checks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train.checks", description=checks.__doc__)
    parser.add_argument("--output", choices=("text", "json"), default="text")
    asked = parser.parse_args(arguments)
    try:
        job = load(environ)
    except Failure as failure:
        return _fail(str(failure))
    if job.config.checks == "auto":  # whoever asks for the checks alone wants to know
        job = replace(job, config=job.config.model_copy(update={"checks": "strict"}))
    peers = parallel.Peers(job)
    try:
        found = _check(job, peers)
    except Exception as error:  # a peer that died shows as one of many runtime errors of the backend
        first_line = next(iter(str(error).splitlines()), "")
        kind = "" if isinstance(error, Failure) else f"{type(error).__name__}: "
        reason = f"{job.node}: {kind}{first_line[:300]}"
        peers.announce(reason)
        _fail(reason)
        peers.see_off()
        return 1
    if job.first:
        text = found.model_dump_json() if asked.output == "json" else "\n".join(table.lines(found))
        os.write(1, f"{text}\n".encode())
    return 0 if found.status is Status.PASS else 1


def _check(job: Job, peers: parallel.Peers) -> Health:
    limits, diagnose = job.config, peers.diagnose if job.processes > 1 else None
    watchdog = parallel.Watchdog(lambda reason: say(f"FAIL: {reason}"))
    with watchdog.limit(limits.startup_timeout_s, "waiting for all processes", diagnose):
        peers.connect()
        peers.listen(_end)
        mesh = parallel.make_mesh()

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


if __name__ == "__main__":
    # Not sys.exit: at interpreter exit JAX waits minutes for peers that may already be gone.
    os._exit(main(sys.argv[1:]))
