"""The Pulumi provider ``kubernetes`` for clusters of this machine."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any, cast

from pulumi.runtime.proto import provider_pb2

from local.control_plane import by_endpoint
from local.kubernetes import diff as differences
from local.kubernetes.api import ClusterApi
from local.kubernetes.awaiting import Report
from local.kubernetes.fidelity import fidelity
from local.kubernetes.kubeconfig import identity_of, server_of
from local.kubernetes.manifest import (
    AUTONAMED,
    NAME_LENGTH,
    conceal_secret,
    drifted_inputs,
    imported_inputs,
    outputs_of,
    with_defaults,
)
from local.kubernetes.objects import Objects
from local.kubernetes.progress import Log, nowhere, to_engine
from local.kubernetes.tokens import ObjectId, ObjectType, annotations_of, metadata_of
from local.paths import DataRoot
from local.provider import (
    UNKNOWN,
    Change,
    Changes,
    Check,
    Create,
    Delete,
    Diff,
    Found,
    LocalProvider,
    Made,
    ProviderError,
    Read,
    Update,
    Values,
    compare,
)


class KubernetesProvider(LocalProvider):
    """Any object of the Kubernetes API, in the control planes that one data root has.

    ``log`` takes progress while objects are awaited; under the CLI it goes to the engine.
    """

    name = "kubernetes"
    version = "4.34.2"

    def __init__(self, root: DataRoot | None = None, log: Log = nowhere) -> None:
        self._root = root or DataRoot.of_environment()
        self.log = log
        self._config: Values = {}
        self._objects: dict[str, Objects] = {}
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    def Handshake(self, request: provider_pb2.ProviderHandshakeRequest, context: Any) -> Any:
        """Learn where the CLI's engine listens."""
        if request.engine_address:
            self.log = to_engine(request.engine_address)
        return super().Handshake(request, context)

    def diff_config(self, old: Values, new: Values) -> Changes:
        """Another cluster, or one not known yet, replaces everything in it."""
        before, after = identity_of(old), identity_of(new)
        key = "clusterIdentifier" if new.get("clusterIdentifier") else "kubeconfig"
        if after is None or before != after:
            return Changes((Change(key, "update", replace=True),))
        return Changes(compare(old, new))

    def configure(self, config: Values) -> None:
        """Take the cluster and the defaults."""
        self._config = config

    def cancel(self) -> None:
        """End every wait."""
        self._cancelled.set()

    def fidelity_of(self, type_token: str) -> str:
        """How real a type is on one machine."""
        return fidelity(type_token)

    def check(self, request: Check) -> Values:
        """Fill in type, namespace and name."""
        type = ObjectType.of_token(request.type)
        # A made name is kept as long as the program gives none; the name of a replacement is made anew.
        old = request.old_inputs if annotations_of(request.old_inputs).get(AUTONAMED) == "true" else {}
        kept = Check(request.urn, request.type, request.name, {}, metadata_of(old), request.seed)
        namespace = str(self._config.get("namespace") or "")
        inputs = with_defaults(request.inputs, type, namespace, kept.autoname("name", NAME_LENGTH))
        return conceal_secret(inputs, type.kind)

    def diff(self, request: Diff) -> Changes:
        """What the program changed; see `local.kubernetes.diff`."""
        self._remember(request.type, request.id)
        kind = ObjectType.of_token(request.type).kind
        mutable = self._config.get(f"enable{kind}Mutable") in (True, "true")
        return differences.diff(request.old_inputs, request.inputs, request.old_outputs, request.ignore, mutable)

    def create(self, request: Create) -> Made:
        """Apply and await, or foretell."""
        ObjectType.of_token(request.type)
        if request.preview:
            return Made("", _foretold(request.inputs, {}))
        kind = str(request.inputs.get("kind"))
        live = self._cluster().make(
            request.inputs, request.urn, lambda id: (kind, str(id)) in self._known, request.timeout_s,
            self._report(request.urn),
        )  # fmt: skip
        return Made(str(ObjectId.of_manifest(live)), outputs_of(live))

    def update(self, request: Update) -> Mapping[str, Any]:
        """Apply and await, or foretell."""
        self._remember(request.type, request.id)
        if request.preview:
            return _foretold(request.inputs, request.old_outputs)
        id = ObjectId.parse(request.id)
        live = self._cluster().change(
            request.inputs, request.old_inputs, request.urn, id, request.timeout_s, self._report(request.urn)
        )
        return outputs_of(live)

    def read(self, request: Read) -> Found | None:
        """The live object; its inputs are the declared ones where nothing has drifted."""
        self._remember(request.type, request.id)
        server = server_of(self._config)
        if server is None:
            return Found(request.id, request.outputs or {"metadata": UNKNOWN, "status": UNKNOWN}, request.inputs)
        if by_endpoint(self._root, server) is None:
            return None  # gone with its cluster
        live = self._cluster().find(_type_of(request.type, request.inputs), ObjectId.parse(request.id))
        if live is None:
            return None
        inputs = drifted_inputs(request.inputs, request.outputs, live) if request.inputs else imported_inputs(live)
        return Found(str(ObjectId.of_manifest(live)), outputs_of(live), inputs)

    def delete(self, request: Delete) -> None:
        """Remove and wait; what went with its cluster is gone."""
        self._remember(request.type, request.id)
        server = server_of(self._config)
        if server is None or by_endpoint(self._root, server) is None:
            return
        type = _type_of(request.type, request.inputs or request.outputs)
        uid = str(metadata_of(request.outputs).get("uid") or "")
        timeout_s = request.timeout_s or 600.0
        self._cluster().remove(type, ObjectId.parse(request.id), uid, request.urn, timeout_s, self._report(request.urn))

    def _cluster(self) -> Objects:
        server = server_of(self._config)
        if server is None:
            raise ProviderError("the cluster's kubeconfig is not known yet, and objects can only be made once it is")
        with self._lock:
            if server not in self._objects:
                plane = by_endpoint(self._root, server)
                if plane is None:
                    raise ProviderError(
                        f"no cluster of this machine listens at {server}; the local provider touches no other. "
                        f"Its clusters are under {self._root.clusters}."
                    )
                self._objects[server] = Objects(self._root, ClusterApi(plane), self._cancelled)
            return self._objects[server]

    def _report(self, urn: str) -> Report:
        return lambda message: self.log(urn, "info", message)

    def _remember(self, token: str, id: str) -> None:
        self._known.add((token.rpartition(":")[2], id))


def _type_of(token: str, manifest: Mapping[str, Any]) -> ObjectType:
    named = manifest.get("apiVersion")
    type = ObjectType.of_token(token)
    return ObjectType(named, type.kind) if isinstance(named, str) else type


def _foretold(inputs: Values, old_outputs: Values) -> Values:
    """The outputs that a preview can know: what is declared, and before that what was there."""
    merged = _merged(copy.deepcopy(old_outputs), inputs) if old_outputs else dict(inputs)
    if not old_outputs:
        merged["status"] = UNKNOWN
        if isinstance(merged.get("metadata"), dict):
            merged["metadata"] = {"uid": UNKNOWN, "resourceVersion": UNKNOWN, **metadata_of(merged)}
    return conceal_secret(cast(Values, merged), str(inputs.get("kind")))


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast(Values, old), cast(Values, new)
        return {**before, **{key: _merged(before.get(key), value) for key, value in after.items()}}
    return new
