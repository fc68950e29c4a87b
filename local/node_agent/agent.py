"""The agent's main loop: the API server says which pods are this node's, the loop runs and reports them."""

from __future__ import annotations

import base64
import logging
import queue
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.kube_api import MERGE_PATCH, ApiError, Credentials, KubeApi, Unreachable
from local.node_agent.mapping import CannotRun
from local.node_agent.node_status import node_status
from local.node_agent.pod import Pod
from local.node_agent.status import Json, rfc3339
from local.node_agent.volumes import Cluster
from local.node_objects import label_patch
from local.node_spec import NodeSpec
from local.processes import stop_under

TICK_S = 0.2
LEASE_RENEWAL_S, LEASE_DURATION_S = 10.0, 40  # the kubelet's
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
RETRY_S = 0.5
TOKEN_S = 3600  # Kubernetes' default of a projected token

logger = logging.getLogger(__name__)


class Agent:
    """One node. Only the main thread changes pods; a thread each watches, and one renews the lease."""

    def __init__(self, spec: NodeSpec, folder: Path, credentials: Credentials) -> None:
        self._spec = spec
        self._pods_folder = folder / "pods"
        self._api = KubeApi(credentials)
        self._pods: dict[str, Pod] = {}
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._retry_at: dict[str, float] = {}
        self._node_path = f"/api/v1/nodes/{spec.name}"

    def serve(self) -> None:
        """Until TERM (pods keep running, for the next agent) or until the Node is deleted (pods are ended)."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        signal.signal(signal.SIGTERM, lambda *_: self._stopping.set())
        self._until_answered(self._register)
        for work in (self._heartbeat, self._watch_pods, self._watch_node):
            threading.Thread(target=self._forever, args=(work,), daemon=True).start()
        while not self._stopping.is_set():
            self._take_events()
            for pod in list(self._pods.values()):
                self._sync(pod)

    def _take_events(self) -> None:
        try:
            kind, content = self._events.get(timeout=TICK_S)
            while True:
                self._handle(kind, content)
                kind, content = self._events.get_nowait()
        except queue.Empty:
            return

    def _handle(self, kind: str, content: Any) -> None:
        if kind == "NODE_DELETED":
            logger.info("the node was deleted: ending its pods")
            stop_under(self._pods_folder, grace_s=5.0)
            self._stopping.set()
        elif kind == "LISTED":
            self._adopt(content)
        elif kind == "DELETED":
            self._forget(content["metadata"]["uid"])
        else:
            self._take(content)

    def _take(self, manifest: Json) -> None:
        metadata = manifest["metadata"]
        if known := self._pods.get(metadata["uid"]):
            known.manifest = manifest
        elif manifest.get("status", {}).get("phase") not in ("Succeeded", "Failed") or "deletionTimestamp" in metadata:
            folder = self._pods_folder / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
            self._pods[metadata["uid"]] = Pod(manifest, folder, self._cluster(metadata["namespace"]))

    def _adopt(self, manifests: list[Json]) -> None:
        """Go on with what is listed; end what a former agent ran and nobody wants any more."""
        wanted = {manifest["metadata"]["uid"] for manifest in manifests}
        for uid in set(self._pods) - wanted:
            self._forget(uid)
        for folder in self._pods_folder.glob("*_*_*"):
            if folder.name.rpartition("_")[2] not in wanted:
                stop_under(folder, grace_s=0.0)
                _remove(folder)
        for manifest in manifests:
            self._take(manifest)

    def _forget(self, uid: str) -> None:
        if pod := self._pods.pop(uid, None):
            pod.kill()
            stop_under(pod.folder, grace_s=1.0)
            pod.remove_files()
        for folder in self._pods_folder.glob(f"*_{uid}"):  # of a pod that had ended before this agent began
            _remove(folder)

    def _sync(self, pod: Pod) -> None:
        try:
            pod.step()
            if time.monotonic() < self._retry_at.get(pod.uid, 0.0):
                return
            self._report(pod)
            if pod.deleting and pod.ended() and pod.manifest["metadata"].get("deletionGracePeriodSeconds") != 0:
                self._retry_at[pod.uid] = time.monotonic() + 2.0
                self._api.delete(_path(pod), grace_s=0, uid=pod.uid)
        except (ApiError, Unreachable) as error:
            if isinstance(error, ApiError) and error.status in (404, 409):
                self._forget(pod.uid)  # it is gone, or another has its name
                return
            self._retry_at[pod.uid] = time.monotonic() + RETRY_S
            logger.warning("pod %s: %s", pod.manifest["metadata"]["name"], error)
        except OSError:
            logger.exception("pod %s", pod.manifest["metadata"]["name"])

    def _report(self, pod: Pod) -> None:
        status = pod.status()
        if _without_times(status) == pod.acknowledged:
            return
        self._api.patch(f"{_path(pod)}/status", {"metadata": {"uid": pod.uid}, "status": status})
        pod.acknowledged = _without_times(status)

    def _lookup(self, namespace: str) -> Any:
        def data(kind: str, name: str) -> Mapping[str, str] | None:
            found = self._api.find(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
            if found is None or kind == "configmaps":
                return None if found is None else found.get("data", {})
            return {key: base64.b64decode(value).decode() for key, value in found.get("data", {}).items()}

        return data

    def _cluster(self, namespace: str) -> Cluster:
        return Cluster(self._api.host, self._api.port, self._lookup(namespace), self._token)

    def _token(self, pod: Mapping[str, Any], source: Mapping[str, Any]) -> str:
        """A token of the pod's account that ends with the pod, and says which node it is on: as a kubelet asks for."""
        metadata = pod["metadata"]
        account = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{pod['spec']['serviceAccountName']}"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": source.get("expirationSeconds", TOKEN_S), "boundObjectRef": bound}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            return self._api.create(f"{account}/token", request)["status"]["token"]
        except ApiError as error:
            raise CannotRun("CreateContainerConfigError", f"no token for the pod's account: {error}") from error

    def _register(self) -> None:
        manifest = self._spec.manifest()
        if (node := self._api.find(self._node_path)) is None:
            self._api.create("/api/v1/nodes", {**manifest, "status": node_status(self._spec, rfc3339(time.time()))})
        elif patch := label_patch(node, self._spec):
            self._api.patch(self._node_path, {"metadata": patch}, MERGE_PATCH)
        self._report_ready()

    def _report_ready(self) -> None:
        self._api.patch(f"{self._node_path}/status", {"status": node_status(self._spec, rfc3339(time.time()))})

    def _heartbeat(self) -> None:
        name = self._spec.name
        now = f"{rfc3339(time.time())[:-1]}.000000Z"
        spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_DURATION_S, "renewTime": now}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
        if self._api.find(f"{LEASES}/{name}") is None:
            self._api.create(LEASES, lease)
        else:
            self._api.patch(f"{LEASES}/{name}", {"spec": spec}, MERGE_PATCH)
        self._stopping.wait(LEASE_RENEWAL_S)

    def _watch_pods(self) -> None:
        selector = f"spec.nodeName={self._spec.name}"
        listed = self._api.get("/api/v1/pods", fieldSelector=selector)
        self._events.put(("LISTED", listed["items"]))
        for kind, manifest in self._api.watch(
            "/api/v1/pods", listed["metadata"]["resourceVersion"], fieldSelector=selector
        ):
            self._events.put((kind, manifest))

    def _watch_node(self) -> None:
        selector = f"metadata.name={self._spec.name}"
        listed = self._api.get("/api/v1/nodes", fieldSelector=selector)
        if not listed["items"]:
            self._events.put(("NODE_DELETED", None))
            return
        version = listed["metadata"]["resourceVersion"]
        for kind, node in self._api.watch("/api/v1/nodes", version, fieldSelector=selector):
            conditions = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions", [])}
            if kind == "DELETED":
                self._events.put(("NODE_DELETED", None))
            elif conditions.get("Ready") != "True":
                self._report_ready()  # the control plane had missed our heartbeats

    def _until_answered(self, work: Any) -> None:
        while not self._stopping.is_set():
            try:
                work()
                return
            except (ApiError, Unreachable) as error:
                logger.warning("the API server: %s", error)
                self._stopping.wait(RETRY_S)

    def _forever(self, work: Any) -> None:
        while not self._stopping.is_set():
            self._until_answered(work)


def _path(pod: Pod) -> str:
    metadata = pod.manifest["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def _without_times(status: Json) -> Json:
    conditions = [{**each, "lastTransitionTime": None} for each in status["conditions"]]
    return {**status, "conditions": conditions}


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
