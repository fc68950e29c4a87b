"""One pod on this node: brings its containers where its specification wants them, a step at a time."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.node_agent import mapping, volumes
from local.node_agent.container import Container
from local.node_agent.status import ContainerState, Json, phase, pod_status


class Pod:
    """A pod's containers and how far they are. ``step`` never blocks; what is known is on disk."""

    def __init__(self, manifest: Json, folder: Path, cluster: volumes.Cluster) -> None:
        self.manifest = manifest
        self.folder = folder
        self._cluster = cluster
        self._specs = {spec["name"]: spec for spec in self._list("initContainers") + self._list("containers")}
        self._containers = {name: Container(folder, spec) for name, spec in self._specs.items()}
        self._refused: dict[str, tuple[mapping.CannotRun, float]] = {}
        self._term_sent_at: float | None = None
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        self._start_time = folder.stat().st_ctime if not manifest.get("status", {}).get("startTime") else None
        self.acknowledged: Json | None = None

    @property
    def uid(self) -> str:
        """The API's identity of the pod."""
        return self.manifest["metadata"]["uid"]

    @property
    def deleting(self) -> bool:
        """Whether somebody asked to delete it."""
        return "deletionTimestamp" in self.manifest["metadata"]

    def step(self) -> None:
        """Start or end what has to be started or ended now."""
        if self.deleting or self._past_deadline():
            self._terminate(float(self.manifest["metadata"].get("deletionGracePeriodSeconds", 30)))
            return
        if self.phase() in ("Succeeded", "Failed"):
            return
        for init in self._list("initContainers"):
            if not self._advance(init["name"], "OnFailure" if self._policy == "Always" else self._policy):
                return
        for spec in self._list("containers"):
            self._advance(spec["name"], self._policy)

    def _advance(self, name: str, policy: str) -> bool:
        """Start the container if it is its time; whether it has ended well."""
        container = self._containers[name]
        ended = container.ended()
        if container.attempts == 0:
            self._start(name)
        elif ended is not None:
            again = policy == "Always" or (policy == "OnFailure" and ended.exit_code != 0)
            if again and time.time() - ended.finished_at >= container.back_off_s():
                self._start(name)
        return ended is not None and ended.exit_code == 0

    def _start(self, name: str) -> None:
        refused = self._refused.get(name)
        if refused and time.monotonic() - refused[1] < 2.0:
            return
        spec = self._specs[name]
        try:
            mapping.check(self.manifest, spec)
            declared = mapping.environment(self.manifest, spec, self._cluster.lookup)
            declared = volumes.provide(self.manifest, spec, declared, self.folder, self._cluster)
            base = mapping.base_environment(self.manifest, self.folder) | self._cluster.environment()
            env = {**base, **declared}
            self._containers[name].start(mapping.argv(spec, declared), env, self.folder)
            self._refused.pop(name, None)
        except mapping.CannotRun as error:
            self._refused[name] = (error, time.monotonic())

    def _terminate(self, grace_s: float) -> None:
        living = [container for container in self._containers.values() if self._lives(container)]
        if self._term_sent_at is None:
            self._term_sent_at = time.monotonic()
            for container in living:
                container.signal(signal.SIGTERM)
        elif time.monotonic() - self._term_sent_at >= grace_s:
            for container in living:
                container.signal(signal.SIGKILL)

    def kill(self) -> None:
        """End its processes without grace: nobody wants the pod any more."""
        for container in self._containers.values():
            container.signal(signal.SIGKILL)

    def ended(self) -> bool:
        """Whether none of its processes runs."""
        return not any(self._lives(container) for container in self._containers.values())

    def remove_files(self) -> None:
        """Forget the pod; its logs go with it, as on a kubelet."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def phase(self) -> str:
        """The pod's phase now."""
        return phase(self._states("containers"), self._states("initContainers"), self._policy, self.deleting)

    def status(self) -> Json:
        """The status to report."""
        start = self._start_time or self.folder.stat().st_ctime
        status = pod_status(self.manifest, self._states("containers"), self._states("initContainers"), start)
        if existing := self.manifest.get("status", {}).get("startTime"):
            status["startTime"] = existing
        if self._past_deadline() and self.ended():
            status.update(phase="Failed", reason="DeadlineExceeded", message="it ran past activeDeadlineSeconds")
        return status

    @property
    def _policy(self) -> str:
        return self.manifest["spec"].get("restartPolicy", "Always")

    def _list(self, kind: str) -> list[Json]:
        return self.manifest["spec"].get(kind) or []

    def _lives(self, container: Container) -> bool:
        return container.attempts > 0 and container.ended() is None

    def _past_deadline(self) -> bool:
        seconds = self.manifest["spec"].get("activeDeadlineSeconds")
        return seconds is not None and time.time() - self.folder.stat().st_ctime > seconds

    def _states(self, kind: str) -> list[ContainerState]:
        return [self._state(spec) for spec in self._list(kind)]

    def _state(self, spec: Mapping[str, Any]) -> ContainerState:
        container = self._containers[spec["name"]]
        attempts, ended = container.attempts, container.ended()
        reason = message = ""
        if refused := self._refused.get(spec["name"]):
            reason, message = refused[0].reason, str(refused[0])
        elif ended and self._policy != "Never" and not self.deleting and self._will_restart(ended.exit_code):
            reason, message = "CrashLoopBackOff", f"back-off {container.back_off_s():.0f}s restarting failed container"
        last = ended if reason and ended else container.ended(attempts - 2) if attempts > 1 else None
        return ContainerState(
            name=spec["name"],
            image=spec.get("image", ""),
            restarts=max(0, attempts - 1),
            started_at=container.started_at(),
            ended=None if reason else ended,
            last=last,
            reason=reason,
            message=message,
        )

    def _will_restart(self, exit_code: int) -> bool:
        return self._policy == "Always" or exit_code != 0
