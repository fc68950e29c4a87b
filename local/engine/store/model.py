"""What a state holds: resources, operations that were under way, and secrets as values that cannot be printed.

The fields mirror the Pulumi CLI's checkpoint, version 3 (``sdk/go/common/apitype/core.go``, ``ResourceV3``). All of
it is plain data: no file, no encryption, no engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

OperationType: TypeAlias = Literal["creating", "updating", "deleting", "reading"]

# What marks an object in a checkpoint as more than a plain map (``sdk/go/common/resource/sig/sig.go``).
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_REFERENCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"


@dataclass(frozen=True)
class Secret:
    """A value that is encrypted wherever it is written, and that prints as ``[secret]``."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"

    __str__ = __repr__

    def __hash__(self) -> int:
        return hash("[secret]")


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """One resource as the state knows it. Change it with ``dataclasses.replace``.

    ``inputs`` and ``outputs`` hold plain JSON values, ``Secret`` where a value is secret, and assets, archives and
    resource references as the checkpoint's own objects with their signature key.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""
    provider: str = ""  # "<urn of the provider resource>::<its id>"; empty for components
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    external: bool = False  # read, never owned: not created and not deleted by the engine
    delete: bool = False  # superseded by a replacement, still to be deleted
    pending_replacement: bool = False  # deleted already, its successor not created yet
    retain_on_delete: bool = False
    taint: bool = False
    aliases: tuple[str, ...] = ()
    init_errors: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict[str, float])  # create, update, delete: seconds
    import_id: str = ""
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    created: str = ""  # RFC 3339 in UTC
    modified: str = ""
    source_position: str = ""  # "project:///__main__.py#12,3"
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])  # checkpoint fields not named here, kept as read

    @property
    def key(self) -> StateKey:
        """What tells this entry from all others of the same state: live entries by URN, superseded ones also by id."""
        return (self.urn, self.id if self.delete else "", self.delete)

    @property
    def name(self) -> str:
        """The logical name: the last part of the URN."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def reference(self) -> str:
        """How resources refer to this one as their provider."""
        return f"{self.urn}::{self.id}"

    def needs(self) -> frozenset[str]:
        """The URNs of all resources that this one needs to be there."""
        needed = {self.parent, self.provider.rpartition("::")[0], self.deleted_with, *self.dependencies}
        needed.update(self.replace_with)
        for urns in self.property_dependencies.values():
            needed.update(urns)
        return frozenset(needed - {"", self.urn})


StateKey: TypeAlias = tuple[str, str, bool]


@dataclass(frozen=True)
class Operation:
    """An operation that had begun and of whose end nothing is known."""

    type: OperationType
    resource: ResourceState


@dataclass(frozen=True)
class Snapshot:
    """A whole state. Resources stand in an order in which everything comes after what it needs."""

    resources: tuple[ResourceState, ...] = ()
    pending_operations: tuple[Operation, ...] = ()
    salt: str = ""  # of the passphrase that encrypted the secrets; empty in a state that never had any
    features: tuple[str, ...] = ()  # what a reader must know to read it; the CLI writes them into version 4
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])  # parts of the deployment not named here

    def live(self) -> dict[str, ResourceState]:
        """The resources that are not waiting for their deletion, by URN."""
        return {state.urn: state for state in self.resources if not state.delete}


def in_order_of_need(resources: Iterable[ResourceState]) -> tuple[ResourceState, ...]:
    """Sort so that every resource comes after what it needs, otherwise leaving the order as it is.

    The CLI refuses a state in which a resource comes before its parent, its provider or a dependency. Needs that are
    not in the state are passed over, and a cycle is left in the order given.
    """
    entries = list(resources)
    places: dict[str, list[int]] = {}
    for place, state in enumerate(entries):
        places.setdefault(state.urn, []).append(place)
    visited = [False] * len(entries)
    ordered: list[ResourceState] = []
    for start in range(len(entries)):
        stack = [(start, False)]
        while stack:
            place, is_done = stack.pop()
            if is_done:
                ordered.append(entries[place])
            elif not visited[place]:
                visited[place] = True
                stack.append((place, True))
                needed = sorted((p for urn in entries[place].needs() for p in places.get(urn, ())), reverse=True)
                stack.extend((p, False) for p in needed if not visited[p])
    return tuple(ordered)


def is_plain_number(value: float) -> bool:
    """Whether JSON has a way to write the number: there is none for infinities and NaN."""
    return math.isfinite(value)
