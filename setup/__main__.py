"""``python3 -m setup``: make this machine ready, or say in one sentence why it cannot be."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- before the other imports: they are written for 3.11
    sys.exit(f"Python 3.11 or later is needed and this is {sys.version.split()[0]}: `make PYTHON=python3.12 …`.")

import signal
import time
from pathlib import Path
from types import FrameType

from local.paths import CHECKOUT, cache_root
from setup import environment, golang, images, packages
from setup.children import Children
from setup.host import MACHINES, NODES, PROCESSES, Host
from setup.machine import Machine
from setup.run import link_programs, make_all, replace_link
from setup.step import SetupError, Site, Step


def main() -> int:
    """Exit status: 0 ready, 1 something is missing or failed, 130 interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        was_ready = make_ready(Site(cache_root(), CHECKOUT, Children()))
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Run it again: what is finished is kept.", file=sys.stderr)
        return 130
    if not was_ready:
        print(f"Ready after {time.monotonic() - began:.0f} s; made under {cache_root()}.", file=sys.stderr)
    return 0


def make_ready(site: Site) -> bool:
    """Make everything that is missing; True when nothing was.

    Raises:
        SetupError: something is missing or failed, or the environment asks for machines where none can be.
    """
    machines = packages.prepare(Host.here(), site)
    steps = all_steps(site.checkout, machines)
    missing = [step for step in steps if not step.is_done(site.cache)]
    here = Machine.here(site.cache)
    problems = list(here.problems(site.cache, must_build=bool(missing), machines=machines))
    if problems:
        raise SetupError("\n".join(problems))
    if missing:
        print(f"Makes {', '.join(step.name for step in missing)} under {site.cache}", file=sys.stderr)
        _make(steps, site, machines)
    link_programs(steps, site.cache)
    link_environment(site.checkout, next(step for step in steps if step.name == "venv").folder(site.cache))
    return not (_make_store(site) if machines else False) and not missing


def all_steps(checkout: Path, machines: bool = False) -> list[Step]:
    """Every step, each after what it needs; with what machines need but the workload's image."""
    steps = [environment.pip(), *golang.steps(checkout), environment.packages(checkout)]
    if machines:
        steps += [*golang.machine_steps(checkout), images.machine_image(checkout), images.python_base()]
    return steps


def _make_store(site: Site) -> bool:
    """Make the workload's image, which the machines' image has to boot for; True when it was not there."""
    store = images.workload_store(site.checkout)
    images.try_again(site, sys.stderr)
    if images.refusal(site.checkout, site.cache) or store.is_done(site.cache):
        return False
    _make([store], site, machines=True)
    return True


def _make(steps: list[Step], site: Site, machines: bool) -> None:
    try:
        make_all(steps, site, sys.stderr)
    except SetupError as problem:
        if not machines or Host.here().wanted == MACHINES:
            raise
        raise SetupError(
            f"{problem}\nFor nodes that are processes, which need less: {NODES}={PROCESSES} make up"
        ) from None


def link_environment(checkout: Path, folder: Path) -> None:
    """Let ``.venv`` be the environment; a folder that the user made there is left alone, and used."""
    link = checkout / ".venv"
    if link.is_dir() and not link.is_symlink():
        print(f"{link} is a folder of your own: it is used as it is. Remove it to use {folder}.", file=sys.stderr)
        return
    replace_link(link, folder)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
