"""Whether NCCL can use the Elastic Fabric Adapters that the nodes have: looked for as NCCL looks, before it falls back.

Without its plugin NCCL takes TCP, and says so nowhere but in its own log: the nodes would pass or fail by a network
that no training on them is meant to use.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping

from train.config.job import Job

LIBFABRIC = "libfabric.so.1"
_REMEDY = (
    "Build the image on a BASE with EFA's software (aws-efa-installer: libfabric and aws-ofi-nccl, where the dynamic "
    "linker finds them; workloads/Dockerfile), or give the pool efa_interfaces 0"
)

Load = Callable[[str], object]


def candidates(environ: Mapping[str, str]) -> list[list[str]]:
    """The plugins that NCCL tries, each by the names that it may have (NCCL 2.32, ``src/plugin/plugin_open.cc``)."""
    told = environ.get("NCCL_NET_PLUGIN")
    if told is None:
        return [["libnccl-net.so"]]
    named = [] if told.lower() == "none" else [name for name in told.split(",") if name]
    return [[name] if "/" in name or _is_file(name) else [name, f"libnccl-net-{name}.so"] for name in named]


def lacking(job: Job, backend: str, environ: Mapping[str, str] = os.environ, load: Load = ctypes.CDLL) -> str:
    """What keeps NCCL off the adapters, in a sentence; empty where nothing does, or where there are none to use."""
    if backend != "gpu" or job.processes < 2 or not job.accelerator.efa_interfaces:
        return ""
    found = [any(_loads(name, load) for name in names) for names in candidates(environ)]
    missing = [] if any(found) else [_plugin(environ)]
    # After the plugin, which brings it from wherever it was built with it.
    missing += [] if _loads(LIBFABRIC, load) else [f"libfabric ({LIBFABRIC})"]
    if not missing:
        return ""
    return (
        f"the image lacks {' and '.join(missing)}: collectives between nodes would go over TCP, and not over the "
        f"{job.accelerator.efa_interfaces} Elastic Fabric Adapters of each node. {_REMEDY}"
    )


def _plugin(environ: Mapping[str, str]) -> str:
    names = " or ".join(name for names in candidates(environ) for name in names)
    if names:
        return f"NCCL's network plugin ({names})"
    return "NCCL's network plugin (NCCL_NET_PLUGIN says that none is to be used)"


def _is_file(name: str) -> bool:
    return name.startswith("lib") and name.endswith(".so")


def _loads(name: str, load: Load) -> bool:
    try:
        load(name)
    except OSError:
        return False
    return True
