"""Many processes as one: finding each other, sharing data and failures, and never hanging for ever."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax._src import cache_key, distributed  # neither programs' names nor the coordinator's store has a public name
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from train.config import Failure, Job

AXIS = "data"
_SHARED = ("fsdp", "tensor")
# By the axes of each parameter in train.model. Of two that follow each other one is divided by outputs and the other by
# inputs, so that what is between them needs no exchange (Megatron-LM).
_AXES: dict[str, tuple[str | None, ...]] = {
    "embed": ("fsdp", "tensor"),
    "positions": (None, None),
    "head": ("fsdp", "tensor"),
    "qkv": ("fsdp", "tensor", None, None),
    "qkv_bias": ("tensor", None, None),
    "out": ("tensor", None, "fsdp"),
    "gate_up": ("fsdp", None, "tensor"),
    "up": ("fsdp", "tensor"),
    "up_bias": ("tensor",),
    "down": ("tensor", "fsdp"),
}
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h
_FAILURE, _STOP, _STOP_AFTER = "train/failure", "train/stop", "train/stop-after"
_DAY_MS = 86_400_000  # waits are ended by the watchdog, which knows what was waited for
_SEE_OFF_MS = 5_000
_ANNOUNCE_S = 2.0
_PROBE_S = 3.0

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """What ``work`` gives; None where it takes longer or fails. It is then left to itself."""
    found: list[T] = []

    def run() -> None:
        with suppress(Exception):
            found.append(work())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else None


class Watchdog:
    """Ends the process when a phase outlives its time.

    A collective whose peer is gone waits in native code, where no exception reaches it; only leaving helps.
    """

    def __init__(self, on_timeout: Callable[[str], None], why: Callable[[], str] = lambda: "") -> None:
        self._on_timeout, self._why = on_timeout, why

    @contextmanager
    def limit(self, seconds: float, what: str, why: Callable[[], str] | None = None) -> Iterator[None]:
        """Within the block, ``what`` may take ``seconds``; after them the reason is reported and the process exits.

        ``why``, or else the watchdog's own, is asked then for what can be found out about it, and adds to the reason.
        """
        timer = threading.Timer(seconds, self._expire, [f"{what} took longer than {seconds:g} s", why or self._why])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self, reason: str, why: Callable[[], str]) -> None:
        try:
            self._on_timeout(f"{reason}{': ' if (found := why()) else ''}{found}")
        finally:
            os._exit(1)


class Peers:
    """The other processes of the job, reached through JAX's coordinator, which runs in process 0.

    Collectives say nothing of why a peer is gone; here a process tells the others its reason before it leaves.
    A job of one process has only itself to tell.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._client: Any = None
        self._leaving = False
        self._stop = 0, ""

    def connect(self) -> None:
        """Join the others. JAX aborts the process when this fails, so a watchdog with a shorter time goes first."""
        # The thread that asks a CPU for work then does it, and the kernel can say how long it waited for the CPU.
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        if self._job.processes > 1:
            self._find_others()
        if jax.default_backend() == "cpu":
            _keep_freed_memory()

    def _find_others(self) -> None:
        job = self._job
        jax.config.update("jax_cpu_collectives_implementation", "gloo")  # other platforms do not read it
        jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM for itself
        host, _, port = job.coordinator.rpartition(":")
        on_loopback = host in ("127.0.0.1", "localhost")
        if job.first:
            _check_port("127.0.0.1" if on_loopback else "", int(port))
        jax.distributed.initialize(
            coordinator_address=job.coordinator,
            num_processes=job.processes,
            process_id=job.index,
            initialization_timeout=int(job.config.startup_timeout_s) + 30,
            coordinator_bind_address=job.coordinator if on_loopback else None,
            cluster_detection_method="deactivate",  # what the environment says is explicit and complete
        )
        self._client = distributed.global_state.client
        if jax.default_backend() == "cpu":
            cache_key._hash_accelerator_config = _hash_cpus

    def diagnose(self) -> str:
        """Why the others may not be found: whether the coordinator's name has an address, and whether it answers."""
        host, _, port = self._job.coordinator.rpartition(":")
        try:
            address = str(socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][4][0])
        except OSError as error:
            return f"the name {host} has no address ({error.strerror}): look at the service of that name and at DNS"
        try:
            socket.create_connection((address, int(port)), timeout=_PROBE_S).close()
        except OSError as error:
            why = error.strerror or error
            gone = "process 0 has left, for a reason that it tells itself, or it cannot be reached from here"
            return f"nothing answers at {address} port {port} ({why}): {gone}"
        return f"the coordinator answers at {address} port {port}: another process has not come"

    def exchange(self, name: str, text: str) -> list[str]:
        """Every process's text, in the order of their indices, at every process."""
        if self._client is None:
            return [text]
        self._client.key_value_set(f"{name}/{self._job.index}", text)
        return [self._read(f"{name}/{index}") for index in range(self._job.processes)]

    def gather(self, name: str, text: str) -> list[str]:
        """Every process's text at process 0, and nothing at the others."""
        if self._client is None:
            return [text]
        self._client.key_value_set(f"{name}/{self._job.index}", text)
        return [self._read(f"{name}/{index}") for index in range(self._job.processes)] if self._job.first else []

    def tell(self, name: str) -> None:
        """Let whoever hears ``name`` go on."""
        if self._client is not None:
            self._client.key_value_set(name, "")

    def hear(self, name: str) -> None:
        """Wait until some process tells ``name``."""
        if self._client is not None:
            self._read(name)

    def meet(self, name: str) -> None:
        """Wait until all processes are here; ``name`` is used once."""
        if self._client is not None:
            self._client.wait_at_barrier(name, _DAY_MS)

    def from_first(self, name: str, text: Callable[[], str]) -> str:
        """What ``text`` gives at process 0, at every process."""
        if self._client is None:
            return text()
        if self._job.first:
            self._client.key_value_set(name, text())
        return self._read(name)

    def publish(self, name: str, text: str) -> None:
        """Let the others read ``text`` from now on; it may change."""
        with suppress(RuntimeError):  # the coordinator is gone: others tell why
            if self._client is not None:
                self._client.key_value_set(name, text, allow_overwrite=True)

    def published(self, name: str) -> str:
        """What somebody published last; empty while nobody did."""
        try:
            return self._client.key_value_try_get(name) if self._client is not None else ""
        except RuntimeError:  # there is no such key yet
            return ""

    def ask_to_stop(self, who: str) -> None:
        """Tell process 0 that this process must go."""
        self.publish(_STOP, who)

    def asked_to_stop(self) -> str:
        """Who must go; empty while nobody must."""
        return self.published(_STOP)

    def stop_after(self, step: int, who: str) -> None:
        """Process 0 says after which step all end, and because of whom: a step that it has not begun itself."""
        self._stop = step, who
        self.publish(_STOP_AFTER, f"{step} {who}")

    def stops_after(self) -> tuple[int, str]:
        """After which step all end, and because of whom; step 0 while nobody must."""
        if not self._stop[0] and (told := self.published(_STOP_AFTER)):
            step, _, who = told.partition(" ")
            self._stop = int(step), who
        return self._stop

    def announce(self, reason: str) -> None:
        """Tell the others why this process fails; the first reason of a job stands."""
        within(_ANNOUNCE_S, lambda: self._announce(reason))  # the coordinator may hang itself

    def _announce(self, reason: str) -> None:
        with suppress(RuntimeError):
            if self._client is not None:
                self._client.key_value_set(_FAILURE, reason)

    def listen(self, on_failure: Callable[[str], None]) -> None:
        """Call ``on_failure`` from a thread when another process announces why it fails, or process 0 vanishes."""
        if self._client is not None:
            threading.Thread(target=self._listen, args=[on_failure], daemon=True).start()

    def _listen(self, on_failure: Callable[[str], None]) -> None:
        try:
            reason = self._read(_FAILURE)
        except RuntimeError:
            reason = f"process 0 at {self._job.coordinator} is gone"
        if not self._leaving:
            on_failure(reason)

    def _read(self, key: str) -> str:
        return self._client.blocking_key_value_get(key, _DAY_MS)

    def see_off(self) -> None:
        """After a failure: stay a moment, for the coordinator dies with process 0 and its news with it."""
        within(_SEE_OFF_MS / 1e3, self._see_off)

    def _see_off(self) -> None:
        with suppress(RuntimeError):
            if self._client is not None:
                self._client.wait_at_barrier("train/failed", _SEE_OFF_MS)

    def leave(self) -> None:
        """Leave together after success; waits for the others."""
        self._leaving = True
        if self._client is not None:
            jax.distributed.shutdown()


def _keep_freed_memory() -> None:
    """Let the C library keep what is freed, and not give large blocks back to the kernel.

    XLA frees a step's memory and asks for it again in the next; to map and clear those pages anew took a third of a
    step of 50 MB. A C library that is not GNU's is left as it is.
    """
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def _hash_cpus(hash_object: Any, devices: np.ndarray) -> None:
    """Name a program compiled for CPUs alike in all processes that can run it.

    JAX's own name holds a fingerprint that on CPUs is another in each process, and only process 0 writes to the cache:
    the others would compile at every start, and the job would wait for them. A processor with other instructions still
    has names of its own.
    """
    cache_key._hash_devices(hash_object, devices)
    hash_object.update(_instruction_set().encode())


def _instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What this machine's processor is and can do, as the kernel lists it; the architecture where it does not."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    told = (line for line in lines if line.startswith(("model name", "flags", "CPU part", "Features")))
    return "\n".join(sorted(set(told)))


def _check_port(host: str, port: int) -> None:
    """Raise :class:`Failure` where process 0 cannot listen: JAX would crash without a word."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise Failure(f"cannot listen on port {port} for the other processes: {error.strerror}") from None


def make_mesh() -> Mesh:
    """All devices of all processes in one line."""
    return Mesh(np.array(jax.devices()), (AXIS,))


def arrange(line: Mesh, fsdp: int, tensor: int) -> Mesh:
    """The same devices by what they share: nothing (data), parameters (fsdp), or each matrix product (tensor).

    Neighbours share most. Raises :class:`Failure` where the devices cannot be divided so.
    """
    devices = line.devices.size
    if devices % (fsdp * tensor):
        raise Failure(f"{devices} devices cannot be divided by fsdp {fsdp} × tensor {tensor}: give other numbers")
    if len(line.local_devices) % tensor:
        raise Failure(f"tensor {tensor} must divide the {len(line.local_devices)} devices of a process")
    return Mesh(line.devices.reshape(-1, fsdp, tensor), (AXIS, *_SHARED))


def row_shards(mesh: Mesh) -> int:
    """How many parts a batch's rows are spread over."""
    return mesh.devices.size // mesh.shape.get("tensor", 1)


def replicated(mesh: Mesh) -> NamedSharding:
    """In full on every device."""
    return NamedSharding(mesh, PartitionSpec())


def split(mesh: Mesh) -> NamedSharding:
    """Rows spread over the devices; those that share each product see the same rows."""
    return NamedSharding(mesh, PartitionSpec(tuple(name for name in mesh.axis_names if name != "tensor")))


def shardings(mesh: Mesh, state: Any) -> Any:
    """Where each array of a state is kept: by its name, which an optimizer's averages share with the parameter."""

    def of(path: tuple[Any, ...], leaf: Any) -> NamedSharding:
        axes = _AXES.get(getattr(path[-1], "key", ""), ())
        # What cannot be divided evenly is kept in full.
        spec = [
            name if name and size % mesh.shape[name] == 0 else None
            for name, size in zip(axes, leaf.shape, strict=False)
        ]
        return NamedSharding(mesh, PartitionSpec(*spec))

    return jax.tree_util.tree_map_with_path(of, state)


def rows_of(index: int, processes: int, rows: int) -> slice:
    """The rows of a global batch that one process reads; raises where they cannot be shared evenly."""
    if rows % processes:
        raise Failure(f"{rows} sequences cannot be shared evenly by {processes} processes")
    share = rows // processes
    return slice(index * share, (index + 1) * share)


def to_devices(mesh: Mesh, local_rows: np.ndarray) -> jax.Array:
    """A global array of which this process holds ``local_rows``."""
    return jax.make_array_from_process_local_data(split(mesh), local_rows)


def place(where: Any, tree: Any) -> Any:
    """Host values, which every process holds in full, as arrays that are spread as ``where`` says."""
    return jax.tree.map(
        lambda leaf, sharding: jax.make_array_from_callback(leaf.shape, sharding, lambda at: leaf[at]), tree, where
    )
