"""Many processes as one: finding each other, sharing texts and failures, and never hanging for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jax
from jax._src import distributed  # the coordinator's store has no public name

from train.config.failure import Failure
from train.config.job import Job
from train.parallel import cpu
from train.parallel.watchdog import within

_FAILURE, _STOP, _STOP_AFTER = "train/failure", "train/stop", "train/stop-after"
_DAY_MS = 86_400_000  # waits are ended by the watchdog, which knows what was waited for
_SEE_OFF_MS = 5_000
_ANNOUNCE_S = 2.0
_PROBE_S = 3.0


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
            cpu.keep_freed_memory()

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
            cpu.share_compiled_programs()

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

    def announced(self) -> str:
        """Why a process of the job fails; empty while none does."""
        return self.published(_FAILURE)

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


def _check_port(host: str, port: int) -> None:
    """Raise :class:`Failure` where process 0 cannot listen: JAX would crash without a word."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise Failure(f"cannot listen on port {port} for the other processes: {error.strerror}") from None
