"""What a registration asks for, with what it inherits and what it may have been called before."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.runtime.proto import alias_pb2, resource_pb2, source_pb2

from local.engine.goals import Goal, alias_urns, goal_of, place_of, project_position, seconds_of
from local.engine.urns import Naming

NAMING = Naming("test", "proj")
ROOT = Path("/project")


def request(**fields: object) -> resource_pb2.RegisterResourceRequest:
    return resource_pb2.RegisterResourceRequest(type="null:index:Thing", name="a", custom=True, **fields)  # pyright: ignore[reportArgumentType]


def goal(**fields: object) -> Goal:
    return Goal(type="null:index:Thing", name="a", custom=True, inputs={}, **fields)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("1h30m", 5400.0), ("1.5m", 90.0), ("250ms", 0.25)])
def test_a_timeout_is_read_in_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "soon", "1h 30m", "5d"])
def test_a_timeout_that_is_none_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 90s, 10m or 1h30m"):
        seconds_of(text)


def test_a_child_takes_over_what_it_leaves_open_and_keeps_what_it_says() -> None:
    parent = goal(protect=True, retain_on_delete=True, deleted_with="urn:x")
    child = goal_of(request(), ROOT, parent)
    assert (child.protect, child.retain_on_delete, child.deleted_with) == (True, True, "urn:x")
    assert goal_of(request(protect=False), ROOT, parent).protect is False


def test_a_child_inherits_only_a_provider_of_its_own_package() -> None:
    own = goal(provider="urn:pulumi:test::proj::pulumi:providers:null::p::id")
    other = goal(provider="urn:pulumi:test::proj::pulumi:providers:aws::p::id")
    assert goal_of(request(), ROOT, own).provider == own.provider
    assert goal_of(request(), ROOT, other).provider == ""


def test_dependencies_count_for_every_property_where_none_are_told_apart() -> None:
    asked = request(dependencies=["urn:b", "urn:a"])
    asked.object.update({"value": 1})
    assert goal_of(asked, ROOT, None).property_dependencies == {"value": ("urn:a", "urn:b")}


def test_the_place_in_the_program_is_kept_relative_to_the_project() -> None:
    position = source_pb2.SourcePosition(uri="file:///project/a%20b/main.py", line=7)
    assert place_of(position) == ("/project/a b/main.py", 7)
    assert project_position("/project/a b/main.py", 7, ROOT) == "project:///a b/main.py#7"
    assert place_of(source_pb2.SourcePosition()) == ("", 0)
    assert project_position("", 0, ROOT) == ""


def test_an_alias_fills_in_what_it_leaves_out_from_the_resource_itself() -> None:
    parent = NAMING.urn("test:index:Group", "g")
    spec = alias_pb2.Alias.Spec
    aliased = goal(
        parent=parent,
        aliases=(
            alias_pb2.Alias(urn="urn:pulumi:test::proj::x::y"),
            alias_pb2.Alias(spec=spec(name="was")),
            alias_pb2.Alias(spec=spec(noParent=True)),
        ),
    )
    assert alias_urns(aliased, NAMING, {}) == [
        "urn:pulumi:test::proj::x::y",
        "urn:pulumi:test::proj::test:index:Group$null:index:Thing::was",
        "urn:pulumi:test::proj::null:index:Thing::a",
    ]


def test_a_renamed_parent_renames_children_that_carried_its_name() -> None:
    new, old = NAMING.urn("test:index:Group", "new"), NAMING.urn("test:index:Group", "old")
    child = Goal(type="null:index:Thing", name="new-disk", custom=True, inputs={}, parent=new)
    assert alias_urns(child, NAMING, {new: old}) == [
        "urn:pulumi:test::proj::test:index:Group$null:index:Thing::old-disk"
    ]
