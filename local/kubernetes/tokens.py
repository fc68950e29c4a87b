"""What a type token, a manifest and an id say about a Kubernetes object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from local.provider import ProviderError

DEFAULT_NAMESPACE = "default"

# Kinds of the API server's own groups that live outside namespaces (`kubectl api-resources --namespaced=false`,
# 1.34). Known without asking a server, so that a preview without a cluster gives the same inputs as a run with one.
_CLUSTER_SCOPED = frozenset(
    {
        "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding",
        "ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "DeviceTaintRule",
        "FlowSchema", "IPAddress", "IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
        "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "SelfSubjectAccessReview",
        "SelfSubjectReview", "SelfSubjectRulesReview", "ServiceCIDR", "StorageClass", "StorageVersionMigration",
        "SubjectAccessReview", "TokenReview", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass",
    }
)  # fmt: skip

# Modules of pulumi-kubernetes that are programs, not objects.
_NOT_OBJECTS = frozenset({"helm.sh", "kustomize", "yaml"})


@dataclass(frozen=True)
class ObjectType:
    """A Kubernetes API version and kind."""

    api_version: str
    kind: str

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def built_in(self) -> bool:
        """Whether the API server itself serves it, without a custom resource definition."""
        return "." not in self.group or self.group.endswith(".k8s.io")

    @property
    def cluster_scoped(self) -> bool:
        """Whether its objects are known to live outside namespaces; a custom kind is only known to its server."""
        return self.built_in and self.kind in _CLUSTER_SCOPED

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> ObjectType:
        """The type that a manifest with its defaults names."""
        return cls(str(manifest["apiVersion"]), str(manifest["kind"]))

    @classmethod
    def of_token(cls, token: str) -> ObjectType:
        """The type that a token such as ``kubernetes:batch/v1:Job`` names.

        Raises:
            ProviderError: the token is not one of a single object.
        """
        _, _, rest = token.partition(":")
        version, _, kind = rest.partition(":")
        group = version.partition("/")[0]
        if not version or not kind or group in _NOT_OBJECTS:
            raise ProviderError(f"{token} is not an object of the Kubernetes API, and only those can be made locally.")
        if version == "meta/v1" or kind.endswith("List"):
            raise ProviderError(f"{token} is a list; declare its items one by one.")
        if kind.endswith("Patch"):
            raise ProviderError(f"{token} patches what others made; the local provider offers whole objects only.")
        return cls(version.removeprefix("core/"), kind)


@dataclass(frozen=True)
class ObjectId:
    """Which object: ``namespace/name``, or ``name`` outside namespaces, as in the official provider's ids."""

    namespace: str
    name: str

    @classmethod
    def parse(cls, id: str) -> ObjectId:
        """The object that a resource's id names."""
        namespace, _, name = id.rpartition("/")
        return cls(namespace, name)

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> ObjectId:
        """The object that a manifest names."""
        metadata = metadata_of(manifest)
        return cls(str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def metadata_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's metadata; empty where it has none, or where it is not known yet."""
    metadata = manifest.get("metadata")
    return cast(dict[str, Any], metadata) if isinstance(metadata, dict) else {}


def annotations_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's annotations; empty where it has none."""
    annotations = metadata_of(manifest).get("annotations")
    return cast(dict[str, Any], annotations) if isinstance(annotations, dict) else {}


def is_set(manifest: Mapping[str, Any], annotation: str) -> bool:
    """Whether an annotation says ``"true"``."""
    return str(annotations_of(manifest).get(annotation, "")).lower() == "true"


def describe(kind: str, id: ObjectId) -> str:
    """How messages name an object."""
    return f"{kind} {id.name}" + (f" in namespace {id.namespace}" if id.namespace else "")
