"""The page of the components has every argument and output, and says which of them nobody has explained."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pulumi
import pytest

from reference import components
from reference.__main__ import ROOT


@dataclass(frozen=True, kw_only=True)
class PumpArgs:
    """``litres``: a minute; ``pressure``: at first.

    Raises:
        ValueError: never.
    """

    region: str
    litres: int = 5
    valves: dict[str, str] = field(default_factory=dict[str, str])
    pressure: float = 1.0


class Pump(pulumi.ComponentResource):
    """Moves water.

    Attributes:
        valves: by name,
            each with its side.
        pressure: in bar | or none.
    """

    pressure: pulumi.Output[float] | None
    _hidden: int

    def __init__(self, name: str, args: PumpArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Pump", name, None, opts)


class Leak(pulumi.ComponentResource):
    """Loses water."""

    drops: pulumi.Output[int]

    def __init__(self, name: str, size: int, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Leak", name, None, opts)


def test_each_argument_and_output_has_its_type_default_and_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "component_classes", lambda: iter([Pump]))
    lines = components.render().splitlines()
    assert "| `region` | `str` | required | The region that it is made in. |" in lines
    assert "| `litres` | `int` | `5` | A minute. |" in lines
    assert "| `valves` | `dict[str, str]` | `{}` | By name, each with its side. |" in lines
    assert "| `pressure` | `float` | `1.0` | At first. |" in lines
    assert "| `pressure` | `Output[float] \\| None` | In bar \\| or none. |" in lines
    assert not [line for line in lines if "_hidden" in line]


def test_what_nobody_has_explained_is_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "component_classes", lambda: iter([Pump, Leak]))
    with pytest.raises(components.Undocumented, match=r": Leak\.size, Leak\.drops$"):
        components.render()


def test_every_component_of_the_package_is_on_the_page() -> None:
    names = [kind.__name__ for kind in components.component_classes()]
    assert len(names) == len(set(names)) > 30
    page = components.render()
    assert [name for name in names if f"\n## {name}\n" not in page] == []


def test_every_link_of_the_page_leads_to_a_file() -> None:
    linked = set(re.findall(r"\]\(([^#)]+)\)", components.render()))
    assert len(linked) > 30
    assert [link for link in linked if not (ROOT / "docs" / link).is_file()] == []
