"""What a table entry says about one resource type of Google Cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from local.paths import DataRoot
from local.provider import Values

STOPPED = "localStopped"
"""An input that only a refresh reports: what has died of a real thing. The next ``up`` sees it gone, and acts."""


@dataclass(frozen=True)
class Place:
    """Where a provider instance works."""

    root: DataRoot
    project: str
    region: str


def _nothing(*_: Any) -> Values:
    return {}


def _healthy(*_: Any) -> str:
    return ""


def _none(*_: Any) -> None:
    return None


@dataclass(frozen=True)
class ResourceType:
    """One type of the SDK.

    Attributes:
        token: of the SDK.
        id: as Google's provider makes it, a template of inputs, ``project`` and ``region``.
        replace_on: properties that cannot be changed in place.
        outputs: computed outputs from the inputs, the same for the same inputs.
        realise: makes real what the inputs say; the same again when it is real.
        dead: what has died of it, as a sentence; empty where it is whole.
        remove: takes the real thing away.
    """

    token: str
    id: str
    replace_on: tuple[str, ...]
    outputs: Callable[[Place, Values], Values] = _nothing
    realise: Callable[[Place, Values], None] = _none
    dead: Callable[[Place, Values], str] = _healthy
    remove: Callable[[Place, Values], None] = _none
    fidelity: Literal["realised", "typed only"] = "typed only"

    def id_of(self, place: Place, inputs: Values) -> str:
        """The id that its inputs give it."""
        return self.id.format_map({"project": place.project, "region": place.region, **inputs})

    def replaces(self, path: str) -> bool:
        """Whether a change of the property makes another resource."""
        return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in self.replace_on)
