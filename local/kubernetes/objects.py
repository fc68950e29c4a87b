"""Making, changing, finding and removing objects of one cluster on behalf of resources."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from local import nodes
from local.kube_api import ApiError
from local.kubernetes import injection
from local.kubernetes.api import ClusterApi, conflicts, refusal
from local.kubernetes.awaiting import NotReady, Report, Waiter, timeout_of
from local.kubernetes.conflicts import declares
from local.kubernetes.manifest import AUTONAMED, URN, is_of, outputs_of, redact, to_apply, urn_digest
from local.kubernetes.readiness import readiness
from local.kubernetes.tokens import DEFAULT_NAMESPACE, ObjectId, ObjectType, annotations_of, describe, metadata_of
from local.paths import DataRoot
from local.provider import InitFailed, ProviderError, Values

Live = dict[str, Any]
_T = TypeVar("_T")


class Objects:
    """The objects of one cluster.

    Raises:
        ProviderError: the API server refuses or cannot be reached.
        InitFailed: an object was applied and did not become ready.
    """

    def __init__(self, root: DataRoot, api: ClusterApi, cancelled: threading.Event) -> None:
        self._root, self.api = root, api
        self._waiter = Waiter(api, cancelled)

    def find(self, type: ObjectType, id: ObjectId) -> Live | None:
        """The object; None where there is none, or where its namespace is gone."""
        return self._asking("reading", type, id, lambda: self.api.find(type, id))

    def make(
        self, inputs: Values, urn: str, is_known: Callable[[ObjectId], bool], timeout_s: float, report: Report
    ) -> Live:
        """Apply a new object and await it, or finish what an interrupted run made for the same resource.

        ``is_known`` says of an object that the state has it: a replacement never adopts what it replaces.
        """
        type, id = ObjectType.of_manifest(inputs), self.placed(inputs)
        timeout_s = timeout_of(inputs, timeout_s)
        left = self._left_behind(type, id, inputs, urn, is_known)
        if left is not None and (metadata_of(left).get("deletionTimestamp") or _is_spoilt(left, urn)):
            self._remove(type, left, timeout_s, report)
            left = None
        target = ObjectId.of_manifest(left) if left else id
        manifest = self._manifest(inputs, urn, target, left)
        try:
            live = self._apply(type, manifest, force=left is not None and is_of(left, urn))
        except _Immutable:
            if left is None or not is_of(left, urn):
                raise
            self._remove(type, left, timeout_s, report)
            live = self._apply(type, self._manifest(inputs, urn, id, None), force=False)
        return self._await(live, timeout_s, report)

    def change(
        self, inputs: Values, old_inputs: Values, urn: str, id: ObjectId, timeout_s: float, report: Report
    ) -> Live:
        """Apply what changed in place and await it; an object that has gone meanwhile is made again."""
        type = ObjectType.of_manifest(inputs)
        timeout_s = timeout_of(inputs, timeout_s)
        live = self.find(type, id)
        manifest = self._manifest(inputs, urn, id, live)
        return self._await(self._apply(type, manifest, old_inputs=old_inputs), timeout_s, report)

    def remove(self, type: ObjectType, id: ObjectId, uid: str, urn: str, timeout_s: float, report: Report) -> None:
        """Remove the object and what it owns, and wait until they are gone; another one of that name stays."""
        live = self.find(type, id)
        if live is not None and (metadata_of(live).get("uid") == uid or is_of(live, urn) or not uid):
            self._remove(type, live, timeout_s, report)
        if type.kind == "Job":
            injection.release(self._root, self.api.plane, id)

    def placed(self, inputs: Mapping[str, Any]) -> ObjectId:
        """The object that inputs name, with the default namespace for custom kinds that have namespaces."""
        type, id = ObjectType.of_manifest(inputs), ObjectId.of_manifest(inputs)
        if not id.namespace and self.api.is_namespaced(type):
            return ObjectId(DEFAULT_NAMESPACE, id.name)
        return id

    def _left_behind(
        self, type: ObjectType, id: ObjectId, inputs: Values, urn: str, is_known: Callable[[ObjectId], bool]
    ) -> Live | None:
        live = self.find(type, id)
        if live is not None or annotations_of(inputs).get(AUTONAMED) != "true":
            return live
        selector = f"{URN}={urn_digest(urn)}"
        found = self._asking("listing", type, id, lambda: self.api.list(type, id.namespace, selector))
        orphans = [
            one
            for one in found
            if is_of(one, urn)
            and not is_known(ObjectId.of_manifest(one))
            and not metadata_of(one).get("deletionTimestamp")
        ]
        return min(orphans, key=lambda one: str(metadata_of(one).get("creationTimestamp")), default=None)

    def _manifest(self, inputs: Values, urn: str, id: ObjectId, live: Live | None) -> Values:
        manifest = to_apply(inputs, urn, id.name)
        if id.namespace:
            manifest["metadata"]["namespace"] = id.namespace
        told = injection.for_object(self._root, self.api.plane, manifest)
        told = injection.as_before(manifest, live, told) if live else told
        self._provide_volumes(told, id.namespace)
        return injection.inject(manifest, told)

    def _provide_volumes(self, told: injection.Injection, namespace: str) -> None:
        """What pods see of their machine by claim; where the namespace is missing, applying the pods says so."""
        type, id = ObjectType("v1", "Namespace"), ObjectId("", namespace)
        home = self.find(type, id) if told.folders else None
        for volume in injection.volumes(told, namespace, str(metadata_of(home)["uid"])) if home else ():
            kind, name = ObjectType.of_manifest(volume), ObjectId.of_manifest(volume)
            self._asking("to apply", kind, name, partial(self.api.apply, volume, True))

    def _apply(
        self, type: ObjectType, manifest: Values, *, force: bool = False, old_inputs: Values | None = None
    ) -> Live:
        """Apply; fields that others took over are taken back only where the program had declared them before."""
        id = ObjectId.of_manifest(manifest)
        if images := injection.workload_images(manifest):
            nodes.of(self.api.plane).provide(self.api.plane, images)
        try:
            return self.api.apply(manifest, force)
        except ApiError as error:
            fields = conflicts(error) if error.status == 409 else ()
            if fields and not force and old_inputs and all(declares(old_inputs, field) for field in fields):
                return self._apply(type, manifest, force=True)
            if error.status == 409 and fields:
                raise ProviderError(
                    f"{describe(type.kind, id)} has fields that somebody else manages: {redact(str(error), manifest)}. "
                    "Remove them from the program, or let the other manager give them up."
                ) from None
            safe = ApiError(error.status, redact(str(error), manifest))
            raise (_Immutable if error.status == 422 else ProviderError)(
                str(refusal(safe, type.kind, id, "to apply"))
            ) from None

    def _await(self, live: Live, timeout_s: float, report: Report) -> Live:
        try:
            return self._waiter.until_ready(live, timeout_s, report)
        except NotReady as failed:
            id = str(ObjectId.of_manifest(failed.live))
            raise InitFailed(failed.message, id, outputs_of(failed.live), [failed.message, *failed.reasons]) from None

    def _remove(self, type: ObjectType, live: Live, timeout_s: float, report: Report) -> None:
        id, uid = ObjectId.of_manifest(live), str(metadata_of(live)["uid"])
        self._asking("to delete", type, id, lambda: self.api.delete(type, id, uid))
        self._waiter.until_gone(type, id, uid, timeout_s, report)

    def _asking(self, verb: str, type: ObjectType, id: ObjectId, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except ApiError as error:
            raise refusal(error, type.kind, id, verb) from None


class _Immutable(ProviderError):
    """The API server says that the object cannot become what is declared."""


def _is_spoilt(live: Live, urn: str) -> bool:
    """Whether what an interrupted run left has failed already: finishing it would only repeat the failure."""
    return is_of(live, urn) and live.get("kind") in ("Job", "Pod") and bool(readiness(live).failed)
