"""What the machine must have before the set-up starts."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GIB = 1024**3
BUILD_MEMORY_GIB = 4
"""The linker of Kubernetes needs up to 2.5 GiB, beside the compiler's and pip's processes."""
BUILD_DISK_GIB = 8
"""Packages 2.6 GiB, Go 0.3 GiB, its modules and build cache 3.5 GiB, binaries 0.2 GiB, and room to unpack."""
MACHINES_DISK_GIB = 5
"""Beside it, for machines: their image 0.5 GiB, the workload's 2 GiB, and as much again while podman builds it."""
RUN_MEMORY_GIB = 2
"""Control plane, moto, two training pods and the engine."""
RUN_DISK_GIB = 1
"""State, etcd, logs and checkpoints of one data centre."""


@dataclass(frozen=True)
class Machine:
    """What one process may use, and how Python packages can be installed."""

    memory_bytes: int
    disk_bytes: int
    has_ensurepip: bool
    has_pip: bool

    @classmethod
    def here(cls, cache: Path) -> Machine:
        """This machine, as the control group that we are in lets us see it; disk is that of ``cache``."""
        return cls(
            memory_bytes=available_memory(),
            disk_bytes=shutil.disk_usage(_nearest_existing(cache)).free,
            has_ensurepip=importlib.util.find_spec("ensurepip") is not None,
            has_pip=importlib.util.find_spec("pip") is not None,
        )

    def problems(self, cache: Path, *, must_build: bool, machines: bool = False) -> Iterator[str]:
        """One sentence for each thing that is missing.

        Args:
            must_build: whether anything of what every data centre needs is to be made.
            machines: whether what machines need is to be made too.
        """
        memory = BUILD_MEMORY_GIB if must_build or machines else RUN_MEMORY_GIB
        disk = (BUILD_DISK_GIB if must_build else RUN_DISK_GIB) + machines * MACHINES_DISK_GIB
        what = "Building Kubernetes" if must_build else "The local data centre"
        what = "Building what machines start from" if machines else what
        if self.memory_bytes < memory * GIB:
            yield (
                f"{what} needs {memory} GiB of available memory and this machine has {self.memory_bytes / GIB:.1f}: "
                "end something large, or take a larger machine or container."
            )
        if self.disk_bytes < disk * GIB:
            yield (
                f"{what} needs {disk} GiB of free disk under {cache} and there are {self.disk_bytes / GIB:.1f}: "
                "free some, or set XDG_CACHE_HOME to a folder on a larger disk."
            )
        if must_build and not (self.has_ensurepip or self.has_pip):
            yield (
                "This Python can neither make an environment with pip nor has pip itself: "
                "install it with `apt-get install python3-venv` (as root) and run this again."
            )


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that can still be allocated: the kernel's estimate, or what the control group leaves if that is less."""
    meminfo = (root / "proc/meminfo").read_text().splitlines()
    kibibytes = next(int(line.split()[1]) for line in meminfo if line.startswith("MemAvailable:"))
    return min([kibibytes * 1024, *_left_by_control_groups(root / "sys/fs/cgroup")])


def _left_by_control_groups(groups: Path) -> Iterator[int]:
    for folder, limit, usage in (
        (groups, "memory.max", "memory.current"),
        (groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            bound, used = (folder / limit).read_text().strip(), int((folder / usage).read_text())
            reclaimable = sum(
                int(line.split()[1])
                for line in (folder / "memory.stat").read_text().splitlines()
                if line.split()[0] in ("inactive_file", "active_file")
            )
        except (OSError, ValueError):
            continue
        if bound.isdigit():
            yield int(bound) - used + reclaimable


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
