"""What a table entry says about one resource type, and how every type lives.

A type says how it is made (one request that carries the tags), how what the request leaves out is settled, how it is
read, and how it is deleted. Everything else (adoption, outputs, drift, in-place updates) is the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from local.aws.cloud import Cloud, ServiceError
from local.provider.values import Values

URN_TAG = "ai-datacenter:urn"
AUTONAMED = "__autonamed"
"""The input that says that the name was made up here: its end differs from run to run."""
STATE_TAG = "ai-datacenter:local-state"
"""What moto cannot keep of a thing that was changed in place."""
INTERNAL_TAGS = frozenset({URN_TAG, STATE_TAG})
"""Tags of this provider's own, which the program never sees."""
Fidelity = Literal["realised", "emulated", "recorded"]


@dataclass(frozen=True)
class Call:
    """One operation on one resource. ``tags`` are the provider's default tags with the resource's own."""

    cloud: Cloud
    urn: str
    inputs: Values
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    old_inputs: Values = field(default_factory=dict[str, Any])
    id: str = ""

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags with the one by which an interrupted run's work is found again."""
        return {**self.tags, URN_TAG: self.urn}

    def of(self, *names: str) -> Values:
        """The inputs among ``names`` that are given."""
        return {name: self.inputs[name] for name in names if self.inputs.get(name) is not None}

    def possible_names(self, listed: Callable[[str], Iterable[str]], of: str = "name") -> list[str]:
        """The names under which this resource may stand already.

        The given one; or, where it is made up, all that begin as it does, of those that ``listed`` gives for the
        beginning.
        """
        name = str(self.inputs[of])
        if not self.inputs.get(AUTONAMED):
            return [name]
        beginning = name.rsplit("-", 1)[0] + "-"
        return [one for one in listed(beginning) if one.startswith(beginning)]


def _no_one(call: Call) -> list[str]:
    return []


@dataclass(frozen=True)
class ResourceType:
    """One type of the SDK, mapped to its service."""

    token: str
    create: Callable[[Call], str]
    """Make it with its tags in as few requests as the service allows; gives the id. Must not leave a second one."""
    read: Callable[[Cloud, str, Values], Values | None]
    """Its outputs from the service, by region, id and last known properties; None where it is gone."""
    delete: Callable[[Cloud, str, Values], None]
    find: Callable[[Call], list[str]] = _no_one
    """The ids of what carries this URN already."""
    settle: Callable[[Call, frozenset[str]], None] | None = None
    """Bring the named properties in line; ``tags`` stands for all tags."""
    settled_on_create: frozenset[str] = frozenset()
    """Properties that the create request leaves to ``settle``."""
    replace_on: tuple[str, ...] = ()
    """Properties (whole or by path prefix) that cannot be changed in place."""
    replace_if: Mapping[str, str] = field(default_factory=dict[str, str])
    """Properties that are changed in place unless another one, a boolean, is true."""
    fidelity: Fidelity = "emulated"
    on_processes: Fidelity | None = None
    """How real it is where nodes are processes, if that is less."""
    defaults: Values = field(default_factory=dict[str, Any])
    """Inputs that the service fills in where the program gives none; they become outputs."""
    autoname: tuple[str, int] | None = None
    """The property that is named after the resource where the program gives no name, and its longest length."""
    taggable: bool = True
    delete_before_replace: bool = False
    damage: tuple[str, ...] = ()
    """Outputs that ``read`` gives only when something is broken; as inputs they make the next ``up`` mend it."""
    volatile: tuple[str, ...] = ()
    """Outputs that change with an update: unknown in its preview."""
    computed_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Outputs that change with a property: unknown in the preview of its change."""

    def fidelity_on(self, machines: bool) -> Fidelity:
        """How real it is where nodes are machines, or else processes."""
        return self.fidelity if machines or self.on_processes is None else self.on_processes

    def replaces(self, path: str, inputs: Values) -> bool:
        """Whether a change at this property path, to these inputs, needs a new resource."""
        asked = tuple(name for name, flag in self.replace_if.items() if inputs.get(flag) is True)
        names = (*self.replace_on, *asked, "region")
        return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in names)


def project(old: Any, new: Any, whole: bool = False) -> Any:
    """What ``old``, an input, would be for the cloud to be as ``new`` says.

    The spelling of the program is kept where it means the same: JSON texts, orders of sets, numbers as text. Of an
    object only the keys that the program gave are taken, unless it is a ``whole`` map such as tags.
    """
    if old is None:
        return None  # the program left it to the cloud
    if isinstance(old, str) and isinstance(new, str) and old[:1] in ("{", "["):
        return old if same_json(old, new) else new
    if isinstance(old, dict) and isinstance(new, dict):
        mine, theirs = cast(Values, old), cast(Values, new)
        if whole:
            return theirs
        return {key: project(item, theirs[key]) if key in theirs else item for key, item in mine.items()}
    if isinstance(old, list) and isinstance(new, list):
        ours, others = cast(list[Any], old), cast(list[Any], new)
        if sorted(map(_text, ours)) == sorted(map(_text, others)):
            return ours
        if len(ours) == len(others):
            return [project(one, two) for one, two in zip(ours, others, strict=True)]
        return others
    return old if _plain(old) == _plain(new) else new


def _plain(value: Any) -> str:
    """What two spellings of one value share: ``True`` and ``"true"``, a URL with and without its scheme."""
    return str(value).lower().removeprefix("https://")


def same_json(one: str, two: str) -> bool:
    """Whether two texts are the same JSON document."""
    try:
        return json.loads(one) == json.loads(two)
    except ValueError:
        return one == two


def gone_is_fine(delete: Callable[[], object]) -> None:
    """Run a delete; what is gone already counts as deleted."""
    try:
        delete()
    except ServiceError as error:
        if not error.is_gone:
            raise


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
