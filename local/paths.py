"""Where things live on this machine: the data root, the caches and the built binaries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
JAX_CACHE = "/var/cache/ai-datacenter/jax"
"""The folder of JAX's compiled programs on every machine: one folder of the host, as a shared volume would be."""


class LocalCloudError(Exception):
    """Something of the local data centre cannot be had; the message says what, where, why and what to do."""


@dataclass(frozen=True)
class DataRoot:
    """The folder that holds everything one checkout's local data centre writes.

    Removing it, once its processes are stopped, leaves nothing of the data centre behind.
    """

    path: Path

    @classmethod
    def of_environment(cls) -> DataRoot:
        """``$AI_DATACENTER_HOME``, or ``.datacenter`` in the checkout."""
        chosen = os.environ.get("AI_DATACENTER_HOME")
        return cls(Path(chosen).expanduser().resolve() if chosen else CHECKOUT / ".datacenter")

    @property
    def state(self) -> Path:
        """The state: a file backend of the Pulumi CLI, whichever engine writes it."""
        return self.path / "state"

    @property
    def moto(self) -> Path:
        """What the moto server's process leaves: its record and its log."""
        return self.path / "moto"

    @property
    def recorded(self) -> Path:
        """Requests for what nothing on one machine can realise."""
        return self.path / "recorded"

    @property
    def passphrase(self) -> Path:
        """The passphrase of the state's secrets where the user has set none; mode 0600."""
        return self.path / "passphrase"

    @property
    def clusters(self) -> Path:
        """One folder a cluster."""
        return self.path / "clusters"

    def cluster(self, region: str, name: str) -> Path:
        """The folder of one cluster: keyed by region and name, so that two regions live side by side."""
        return self.clusters / f"{region}.{name}"


def cache_root() -> Path:
    """The folder of everything that is built or downloaded once for all checkouts of one user."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ai-datacenter"


def binary(name: str) -> Path:
    """The built binary ``name`` (``etcd``, ``kube-apiserver``, …).

    Looked for in ``$AI_DATACENTER_BIN``, then in the folder that the set-up made for this checkout.

    Raises:
        LocalCloudError: it has not been built.
    """
    folders = [Path(os.environ["AI_DATACENTER_BIN"])] if "AI_DATACENTER_BIN" in os.environ else []
    folders.append(cache_root() / "bin")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise LocalCloudError(
        f"{name} has not been built (looked in {', '.join(map(str, folders))}). `make setup` builds it."
    )
