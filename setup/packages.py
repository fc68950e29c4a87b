"""Installing the Debian packages that machines need, and nothing else."""

from __future__ import annotations

import os
import sys

from setup.children import CommandFailed, Progress
from setup.host import MACHINES, Host, check_choice
from setup.step import SetupError, Site


def prepare(host: Host, site: Site) -> bool:
    """Whether nodes can be machines here, once what they need is installed, which is done.

    Raises:
        SetupError: the environment asks for machines and they cannot be.
    """
    if problem := check_choice(host.wanted):
        raise SetupError(problem)
    if (refusal := host.refusal()) is not None:
        if host.wanted == MACHINES:
            raise SetupError(f"Nodes cannot be machines here: {refusal}.")
        return False
    try:
        if host.missing:
            _install(host.missing, site)
    except CommandFailed as problem:
        if host.wanted == MACHINES:
            raise SetupError(f"The packages that machines need could not be installed: {problem}") from problem
        print(f"Nodes will be processes: what machines need could not be installed: {problem}", file=sys.stderr)
        return False
    return True


def _install(names: tuple[str, ...], site: Site) -> None:
    progress = Progress("packages", sys.stderr)
    progress.say(f"apt-get install {' '.join(names)}: for nodes that are machines")
    log = site.cache / "packages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    site.children.run(["apt-get", "--quiet", "update"], log, progress, env=quiet)
    install = ["apt-get", "--quiet", "--yes", "--no-install-recommends", "install", *names]
    site.children.run(install, log, progress, env=quiet)
