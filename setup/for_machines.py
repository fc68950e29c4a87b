"""Making what nodes need to be machines, beside what every data centre needs.

Machines are the better vehicle and never the condition: what keeps them from being made is a reason for processes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from setup import golang, images, packages, setback
from setup.children import Children, CommandFailed
from setup.host import MACHINES, NODES, PROCESSES, Host
from setup.machine import Machine
from setup.run import StepFailed, make_all, make_missing
from setup.step import NoMachines, SetupError, Site, Step


def steps(checkout: Path) -> list[Step]:
    """What machines need but the workload's image, which takes a machine's image that boots."""
    return [*golang.machine_steps(checkout), images.machine_image(checkout), images.python_base()]


def make(common: Sequence[Step], host: Host, here: Machine, site: Site) -> bool:
    """Make what is missing of the common steps and of what machines need; True when nothing was.

    Where machines cannot be made, the common steps are, and why is told and remembered.

    Raises:
        SetupError: a common step failed; or machines are asked for and cannot be.
    """
    is_asked = host.wanted == MACHINES
    if (refusal := host.refusal()) is not None:
        if is_asked:
            raise SetupError(f"Nodes cannot be machines here: {refusal}.")
        return make_missing(common, site)
    before = setback.recall(site.cache)
    if before is not None and before.holds() and not is_asked:
        print(f"Nodes will be processes: {before.reason}\n{setback.RETRY}", file=sys.stderr)
        return make_missing(common, site)
    try:
        was_ready = _make_all(common, host, here, site)
    except NoMachines as problem:
        if is_asked:
            raise SetupError(
                f"{problem}\nFor nodes that are processes, which need less: {NODES}={PROCESSES} make up"
            ) from None
        setback.remember(site.cache, _sentence(problem), for_a_day=problem.is_lasting)
        again = f"\n{setback.RETRY}" if problem.is_lasting else ""
        print(f"Nodes will be processes: {problem}{again}", file=sys.stderr)
        make_missing(common, replace(site, children=Children()))  # those of before have been ended for good
        return False
    setback.forget(site.cache)
    return was_ready


def _make_all(common: Sequence[Step], host: Host, here: Machine, site: Site) -> bool:
    everything = [*common, *steps(site.checkout)]
    store = images.workload_store(site.checkout)
    missing = {step.name for step in everything if not step.is_done(site.cache)}
    if missing or not (store.is_done(site.cache) or images.refusal(site.checkout, site.cache)):
        must_build = any(step.name in missing for step in common)
        problems = list(here.problems(site.cache, must_build=must_build, machines=True))
        if problems:
            raise NoMachines(" ".join(problems), is_lasting=False)
    packages.install(host.missing, site)
    try:
        was_ready = make_missing(everything, site)
        return not _make_store(store, site) and was_ready
    except StepFailed as problem:
        if problem.step in {step.name for step in common}:
            raise
        raise NoMachines(str(problem)) from problem
    except CommandFailed as problem:
        raise NoMachines(f"podman does not take the machines' image: {problem}") from problem


def _make_store(store: Step, site: Site) -> bool:
    """Make the workload's image, which the machines' image has to boot for; True when it was not there."""
    images.try_again(site, sys.stderr)
    if images.refusal(site.checkout, site.cache) or store.is_done(site.cache):
        return False
    make_all([store], site, sys.stderr)
    return True


def _sentence(problem: NoMachines) -> str:
    """The first line, which names the log; the end of the log is for the terminal only."""
    return str(problem).splitlines()[0].replace(" The end of ", " See ").rstrip(":")
