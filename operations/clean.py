"""``make clean``: remove what machines start from, in podman and in the cache. `make setup` makes it again."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from local.paths import cache_root
from local.podman import PREFIX, PodmanError, podman

STEPS = ("machine", "python", "store")
"""The set-up's steps that make images."""


def clean(cache: Path) -> list[str]:
    """Remove them; their names. What machines still use stays in podman, which says so."""
    removed: list[str] = []
    if os.geteuid() == 0 and shutil.which("podman") is not None:
        reference = f"--filter=reference=localhost/{PREFIX}*"
        for name in podman("images", reference, "--format={{.Repository}}:{{.Tag}}").split():
            podman("rmi", name)
            removed.append(name)
    for step in STEPS:
        for folder in cache.glob(f"{step}-*"):
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(str(folder))
            else:
                folder.unlink(missing_ok=True)
    shutil.rmtree(cache / "jax-machines", ignore_errors=True)
    return removed


def main() -> int:
    """``python -m operations.clean``."""
    try:
        removed = clean(cache_root())
    except PodmanError as problem:
        print(f"Not all images could be removed: {problem}", file=sys.stderr)
        return 1
    if removed:
        print(f"Removed {', '.join(removed)}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
