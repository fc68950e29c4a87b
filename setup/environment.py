"""The steps that make the virtual environment: a pip to install with, and the pinned packages."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path

from setup.children import Progress
from setup.step import Site, Step

INTERPRETER = f"{sys.version} {platform.machine()} {os.path.realpath(sys.executable)}"
"""What decides whether an environment made once still fits."""


def pip() -> Step:
    """A pip that can install into other environments (22.3 or later, which comes with Python 3.11)."""
    return Step("pip", (INTERPRETER,), (), _make_pip)


def packages(checkout: Path) -> Step:
    """The virtual environment with what ``requirements.txt`` pins."""
    requirements = (checkout / "requirements.txt").read_text()
    return Step("venv", (requirements, INTERPRETER), ("pip",), _make_environment)


def pip_command(cache: Path) -> list[str]:
    """How to run pip; Debian's Python without ``python3-venv`` has no ensurepip, but may have pip."""
    own = pip().folder(cache) / "bin" / "python"
    return [str(own if own.exists() else sys.executable), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def _make_pip(folder: Path, site: Site, progress: Progress) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        progress.say("this Python has no ensurepip: its own pip is used")
        return
    site.children.run([sys.executable, "-m", "venv", folder], folder / "setup.log", progress)


def _make_environment(folder: Path, site: Site, progress: Progress) -> None:
    log = folder / "setup.log"
    site.children.run([sys.executable, "-m", "venv", "--without-pip", folder], log, progress)
    progress.say("downloads and installs the packages of requirements.txt")
    site.children.run(
        [
            *pip_command(site.cache),
            f"--python={folder / 'bin' / 'python'}",
            "install",
            "--require-hashes",
            "--only-binary=:all:",
            "--no-compile",  # byte code of what is never imported: minutes of CPU and 1.5 GiB for pulumi-aws alone
            "--progress-bar=off",
            f"--requirement={site.checkout / 'requirements.txt'}",
        ],
        log,
        progress,
    )
