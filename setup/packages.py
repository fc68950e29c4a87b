"""Installing the Debian packages that machines need, and nothing else; nothing is removed for them."""

from __future__ import annotations

import os
import sys

from setup.children import CommandFailed, Progress
from setup.step import NoMachines, Site


def install(names: tuple[str, ...], site: Site) -> None:
    """Install them as root.

    Raises:
        NoMachines: apt could not, or only by removing others.
    """
    if not names:
        return
    progress = Progress("packages", sys.stderr)
    progress.say(f"apt-get install {' '.join(names)}: for nodes that are machines")
    log = site.cache / "packages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--quiet", "--yes", "--no-install-recommends", "--no-remove", "install", *names]
    try:
        site.children.run(["apt-get", "--quiet", "update"], log, progress, env=quiet)
        site.children.run(command, log, progress, env=quiet)
    except CommandFailed as problem:
        raise NoMachines(f"{', '.join(names)} could not be installed: {problem}") from problem
