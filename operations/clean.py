"""``make clean``: remove what machines start from, in podman and in the cache. `make setup-machines` makes it again."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from local.paths import cache_root
from local.podman import PREFIX, PodmanError, podman
from setup import setback

STEPS = ("machine", "python", "store")
"""The set-up's steps that make images."""
IMAGES = (f"localhost/{PREFIX}", "localhost/aidc/", "localhost/ai-datacenter/")
"""How the names of our images begin: machines', the workload's, and those of the playbooks' tests."""


@dataclass
class Cleaned:
    """What one cleaning did: names of what went, and a sentence for each thing that could not go."""

    removed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def clean(cache: Path) -> Cleaned:
    """Remove them. A refusal keeps nothing else; podman is root's, and is not asked by others."""
    done = Cleaned()
    if os.geteuid() == 0 and shutil.which("podman") is not None:
        _remove_images(done)
    for path in sorted(path for step in STEPS for path in cache.glob(f"{step}-*")):
        _remove(path, done)
    _remove(cache / "jax-machines", done)
    setback.forget(cache)
    return done


def _remove_images(done: Cleaned) -> None:
    try:
        names = podman("images", "--format={{.Repository}}:{{.Tag}}").split()
    except PodmanError as problem:
        done.refused.append(str(problem))
        return
    for name in sorted({name for name in names if name.startswith(IMAGES)}):
        try:
            podman("rmi", name)
            done.removed.append(name)
        except PodmanError as problem:  # machines of another checkout still run from it
            done.refused.append(str(problem))


def _remove(path: Path, done: Cleaned) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        (done.refused if path.exists() else done.removed).append(str(path))
    else:
        path.unlink(missing_ok=True)


def main() -> int:
    """``python -m operations.clean``: 1 when something of ours is left."""
    done = clean(cache_root())
    if done.removed:
        print(f"Removed {', '.join(done.removed)}.", file=sys.stderr)
    for refusal in done.refused:
        print(f"Not removed: {refusal}", file=sys.stderr)
    return 1 if done.refused else 0


if __name__ == "__main__":
    sys.exit(main())
