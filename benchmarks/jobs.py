"""Processes that are one job on this machine, started as its pods are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from local.paths import CHECKOUT
from local.processes import free_port


@contextmanager
def job(
    command: Sequence[str], processes: int, told: Mapping[str, str], streams: Callable[[int], Mapping[str, Any]]
) -> Iterator[list[subprocess.Popen[Any]]]:
    """So many processes of ``command``, by their index; whatever is left of them at the end is ended.

    ``told``: the environment beside what every pod has; ``streams``: what Popen gets for the process of an index.
    """
    environment = {
        **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        "PYTHONPATH": str(CHECKOUT / "workloads"),
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_PROCESSES": str(processes),
        "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{free_port()}",
        **told,
    }
    started = list[subprocess.Popen[Any]]()
    try:
        for index in range(processes):
            own = {"JOB_COMPLETION_INDEX": str(index), "NODE_NAME": f"node-{index}"}
            started.append(subprocess.Popen(list(command), env={**environment, **own}, **streams(index)))
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
