"""``python3 -m setup``: make this machine ready, or say in one sentence why it cannot be."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- before the other imports: they are written for 3.11
    sys.exit(f"Python 3.11 or later is needed and this is {sys.version.split()[0]}: `make PYTHON=python3.12 …`.")

import argparse
import signal
import time
from pathlib import Path
from types import FrameType

from local.paths import CHECKOUT, cache_root
from setup import environment, for_machines, golang
from setup.children import Children
from setup.host import MACHINES, Host, check_choice
from setup.machine import Machine
from setup.run import make_missing, replace_link
from setup.step import SetupError, Site, Step


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 ready, 1 something is missing or failed, 130 interrupted."""
    parser = argparse.ArgumentParser("python3 -m setup", description="Make this machine ready.")
    parser.add_argument(
        "--machines", action="store_true", help="with what nodes need to be machines; installs packages"
    )
    parser.add_argument("--tell", action="store_true", help="only tell what this machine lacks for that")
    chosen = parser.parse_args(arguments)
    site = Site(cache_root(), CHECKOUT, Children())
    if chosen.tell:
        print("\n".join(lacks(site)), file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        was_ready = make_ready(site, machines=chosen.machines)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Run it again: what is finished is kept.", file=sys.stderr)
        return 130
    if not was_ready:
        print(f"Ready after {time.monotonic() - began:.0f} s; made under {cache_root()}.", file=sys.stderr)
    return 0


def make_ready(site: Site, *, machines: bool = False) -> bool:
    """Make everything that is missing; True when nothing was.

    Nothing is installed on the host, and nothing made that only machines need, unless ``machines`` or the environment
    asks for it.

    Raises:
        SetupError: something is missing or failed, or the environment asks for machines where none can be.
    """
    host, here = Host.here(), Machine.here(site.cache)
    if problem := check_choice(host.wanted):
        raise SetupError(problem)
    steps = all_steps(site.checkout)
    missing = [step for step in steps if not step.is_done(site.cache)]
    problems = list(here.problems(site.cache, must_build=bool(missing)))
    if problems:
        raise SetupError("\n".join(problems))
    wanted = machines or host.wanted == MACHINES
    was_ready = for_machines.make(steps, host, here, site) if wanted else make_missing(steps, site)
    link_environment(site.checkout, next(step for step in steps if step.name == "venv").folder(site.cache))
    return was_ready


def all_steps(checkout: Path) -> list[Step]:
    """Every step that every data centre needs, each after what it needs."""
    return [environment.pip(), *golang.steps(checkout), environment.packages(checkout)]


def lacks(site: Site) -> list[str]:
    """What stands in the way of the set-up, and of machines, on a machine where there is no environment yet."""
    refusal = Host.here().obstacle()
    return [
        "There is no environment yet: `make setup` makes it.",
        *Machine.here(site.cache).problems(site.cache, must_build=True),
        f"Nodes would be processes: {refusal}." if refusal else "Nodes can be machines here.",
    ]


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
