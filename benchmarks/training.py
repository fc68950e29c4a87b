"""The data centre's own training job, run again under other names: how long a pod needs to its first step."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from components.smoke_test import NAMESPACE
from components.smoke_test_pod import SERVICE
from local.control_plane import ControlPlane
from local.kube_api import KubeApi
from local.machines.container import jax_cache
from local.paths import JAX_CACHE, LocalCloudError
from local.processes import wait_until

_JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_TIMEOUT_S = 180.0
_FIRST_STEP = re.compile(r"^(\S+) train: step 1: ", re.MULTILINE)
_CACHE = "JAX_COMPILATION_CACHE_DIR"


@dataclass
class TrainingJob:
    """The job that the stack declares, and a folder for the compiled programs of its copies."""

    api: KubeApi
    declared: Mapping[str, Any]
    folder: str = field(default_factory=lambda: f"bench-{os.getpid()}")
    _copies: int = 0

    @classmethod
    def of(cls, plane: ControlPlane) -> TrainingJob:
        """The job of a cluster in which ``make up`` has ended."""
        api = plane.api()
        (declared,) = api.get(_JOBS)["items"]
        return cls(api, declared)

    def __enter__(self) -> TrainingJob:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(jax_cache() / self.folder, ignore_errors=True)

    def run(self, *, filled: bool) -> dict[str, float]:
        """Run a copy to its end; seconds until every pod's first step was done, counted from three beginnings.

        ``seconds``: from the containers' start, as the API has it (in whole seconds, so up to one too many);
        ``from_job``: from the making of the job; ``from_process``: from the process's start, as the kernel has it.
        """
        self._copies += 1
        name = f"bench-{self._copies}"
        cache = f"{JAX_CACHE}/{self.folder}/{'filled' if filled else name}"
        began = time.time()
        self.api.create(_JOBS, copy_of(self.declared, name, cache))
        try:
            self._await(name)
            pods = self.api.get(_PODS, labelSelector=f"job-name={name}")["items"]
            return self._times(pods, began)
        finally:
            self.api.delete(f"{_JOBS}/{name}")

    def _await(self, name: str) -> None:
        def conditions() -> set[str]:
            found = self.api.get(f"{_JOBS}/{name}").get("status", {}).get("conditions") or []
            return {one["type"] for one in found if one["status"] == "True"}

        wait_until(lambda: bool(conditions() & {"Complete", "Failed"}), _TIMEOUT_S, 0.5)
        if "Complete" not in (ended := conditions()):
            raise LocalCloudError(f"The training job {name} {'failed' if 'Failed' in ended else 'does not end'}.")

    def _times(self, pods: list[Mapping[str, Any]], began: float) -> dict[str, float]:
        """Of the pod that took longest: a step ends for all at once, so it is the one that began first."""
        rows: list[tuple[float, float, float]] = []
        for pod in pods:
            log = self.api.text(f"{_PODS}/{pod['metadata']['name']}/log?timestamps=true")
            stepped = first_step_at(log)
            (container,) = pod["status"]["containerStatuses"]
            started = datetime.fromisoformat(container["state"]["terminated"]["startedAt"]).timestamp()
            rows.append((stepped - started, stepped - began, verdict_of(log)["first_step_s"]))
        by_api, from_job, from_process = (max(column) for column in zip(*rows, strict=True))
        return {"seconds": by_api, "from_job": from_job, "from_process": from_process}


def copy_of(declared: Mapping[str, Any], name: str, cache: str) -> dict[str, Any]:
    """The declared job under another name, which its pods' addresses, labels and checkpoints carry too."""
    spec = dict(declared["spec"])
    spec.pop("selector", None)  # of the job's own id, like these labels
    template = json.loads(json.dumps(spec["template"]).replace(declared["metadata"]["name"], name))
    labels = template["metadata"]["labels"]
    template["metadata"]["labels"] = {
        key: value for key, value in labels.items() if not key.endswith(("controller-uid", "job-name"))
    }
    for container in template["spec"]["containers"]:
        kept = [variable for variable in container["env"] if variable["name"] != _CACHE]
        container["env"] = [*kept, {"name": _CACHE, "value": cache}]
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": SERVICE}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {**spec, "template": template}}


def first_step_at(log: str) -> float:
    """When the line of the first step was written, in seconds since 1970, by a log with the kubelet's times."""
    if (found := _FIRST_STEP.search(log)) is None:
        raise LocalCloudError(f"The training job's log tells no first step; it ends:\n{log[-500:]}")
    return datetime.fromisoformat(found[1]).timestamp()


def verdict_of(log: str) -> dict[str, Any]:
    """The last line of a log with times."""
    return json.loads(log.splitlines()[-1].partition(" ")[2])
