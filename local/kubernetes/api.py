"""One cluster's API server for any kind: paths by discovery, server-side apply, patience with restarts."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from local.control_plane import ControlPlane
from local.kube_api import ApiError, KubeApi, Unreachable
from local.kubernetes.tokens import DEFAULT_NAMESPACE, ObjectId, ObjectType, describe
from local.provider import ProviderError

FIELD_MANAGER = "pulumi-kubernetes"
PATIENCE_S = 30.0
"""How long an API server may be away: a restart takes 3 to 6 s on two idle cores."""

_APPLY = "application/apply-patch+yaml"  # JSON is YAML
_STORE_AWAY = re.compile(r"etcdserver|connection|deadline|timed? ?out|shut ?down|leader", re.IGNORECASE)
_T = TypeVar("_T")


class ClusterApi:
    """What the provider asks a cluster. Threads may share it.

    Raises:
        ProviderError: the API server cannot be reached for `PATIENCE_S`, or does not serve a kind.
        ApiError: the API server refuses.
    """

    def __init__(self, plane: ControlPlane, patience_s: float = PATIENCE_S) -> None:
        self.plane = plane
        self._api = _Requests(plane.credentials())
        self._patience_s = patience_s
        self._served: dict[ObjectType, tuple[str, bool]] = {}
        self._lock = threading.Lock()

    def is_namespaced(self, type: ObjectType) -> bool:
        """Whether objects of the type live in namespaces."""
        return self._resource(type)[1]

    def find(self, type: ObjectType, id: ObjectId) -> dict[str, Any] | None:
        """The object; None where there is none."""
        path = self._path(type, id)
        return self.patiently(lambda: self._api.find(path))

    def list(self, type: ObjectType, namespace: str, selector: str) -> list[dict[str, Any]]:
        """The objects of a namespace with matching labels."""
        path = self._path(type, ObjectId(namespace, ""))
        found = self.patiently(lambda: self._api.get(path, labelSelector=selector))
        return [{"apiVersion": type.api_version, "kind": type.kind, **item} for item in found.get("items") or []]

    def apply(self, manifest: Mapping[str, Any], force: bool) -> dict[str, Any]:
        """Server-side apply: the declared fields become this provider's; ``force`` takes them from other managers."""
        path = self._path(ObjectType.of_manifest(manifest), ObjectId.of_manifest(manifest))
        query = {"fieldManager": FIELD_MANAGER, "force": str(force).lower(), "fieldValidation": "Strict"}
        return self.patiently(lambda: self._api.patch(f"{path}?{urlencode(query)}", manifest, _APPLY))

    def delete(self, type: ObjectType, id: ObjectId, uid: str) -> None:
        """Ask for removal of that very object, what it owns first; fine where it is gone."""
        path = self._path(type, id)
        self.patiently(lambda: self._api.delete_foreground(path, uid))

    def pod_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """The end of a container's log, from nodes that serve it; empty from those that do not."""
        query = urlencode({"container": container, "tailLines": lines})
        try:
            text = self._api.text(f"/api/v1/namespaces/{namespace}/pods/{pod}/log?{query}")
        except Unreachable:
            return ""
        return "" if text.startswith('{"kind":"Status"') else text

    def patiently(self, ask: Callable[[], _T]) -> _T:
        """The answer, waiting for an API server that restarts or has too much to do."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return ask()
            except (Unreachable, ApiError) as error:
                if not _passes(error):
                    raise
                if time.monotonic() > deadline:
                    raise ProviderError(self._away(error)) from error
            time.sleep(0.25)

    def _away(self, error: Exception) -> str:
        missing = self.plane.missing()
        why = f"{', '.join(missing)} not running" if missing else str(error)
        return (
            f"the API server of cluster {self.plane.name} at {self.plane.endpoint} has not answered for "
            f"{self._patience_s:.0f} s ({why}); `aidc up` starts what has died, its log is "
            f"{self.plane.log('kube-apiserver')}"
        )

    def _path(self, type: ObjectType, id: ObjectId) -> str:
        plural, namespaced = self._resource(type)
        base = f"/apis/{type.api_version}" if type.group else f"/api/{type.api_version}"
        if namespaced:
            base = f"{base}/namespaces/{id.namespace or DEFAULT_NAMESPACE}"
        return f"{base}/{plural}/{id.name}" if id.name else f"{base}/{plural}"

    def _resource(self, type: ObjectType) -> tuple[str, bool]:
        with self._lock:
            if type not in self._served:
                self._discover(type.api_version)
            if type not in self._served:
                raise ProviderError(
                    f"cluster {self.plane.name} does not serve {type.kind} of {type.api_version}; where it is a custom "
                    "kind, its definition has to be applied first (depends_on)"
                )
            return self._served[type]

    def _discover(self, api_version: str) -> None:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        found = self.patiently(lambda: self._api.find(path))
        for one in (found or {}).get("resources") or []:
            if "/" not in one["name"]:
                self._served[ObjectType(api_version, one["kind"])] = one["name"], bool(one["namespaced"])


class _Requests(KubeApi):
    """The thin client with the one request that it does not have."""

    def delete_foreground(self, path: str, uid: str) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        try:
            self._request("DELETE", path, {**options, "preconditions": {"uid": uid}}, {})
        except ApiError as error:
            if error.status not in (404, 409):  # 409: another object has the name by now, or a removal is under way
                raise


def _passes(error: Unreachable | ApiError) -> bool:
    """Whether asking again may help. A 500 is also how server-side apply refuses a field that does not exist."""
    if isinstance(error, Unreachable):
        return True
    return error.status in (429, 502, 503, 504) or (error.status == 500 and _STORE_AWAY.search(str(error)) is not None)


def conflicts(error: ApiError) -> tuple[str, ...]:
    """The fields that other managers hold, out of the API server's words (``.spec.replicas``)."""
    return tuple(re.findall(r"(?:^|[\s:])(\.[A-Za-z]\S*)", str(error)))


def refusal(error: ApiError, kind: str, id: ObjectId, verb: str) -> ProviderError:
    """The API server's refusal as a sentence."""
    return ProviderError(f"the API server refused {verb} {describe(kind, id)} (HTTP {error.status}): {error}")
