"""What a change recycles is what the resources themselves would do: held against the provider's own table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.recycling import Effect, Recycling, declared, recycles
from components.settings import PoolConfig
from local.aws.tables import TYPES

from .mocks import Cloud
from .strategies import pools
from .test_node_pool import pool

VERSIONS = ("1.34", "1.34")
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
NODE_GROUP, TEMPLATE = TYPES["aws:eks/nodeGroup:NodeGroup"], TYPES["aws:ec2/launchTemplate:LaunchTemplate"]
GPU: dict[str, Any] = {"instance_type": "p5en.48xlarge", "desired_size": 2, "zone": "us-east-1a"}


def changed(change: dict[str, Any], base: dict[str, Any] = GPU) -> Recycling:
    return recycles(PoolConfig(**base), PoolConfig(**{**base, **change}), VERSIONS)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def by_the_tables(old: dict[str, Any], new: dict[str, Any], templates: tuple[Any, Any], more: bool) -> Effect:
    """What the provider that compares, replaces and updates the resources would do; ``more``: other ones differ."""
    assert not any(TEMPLATE.replaces(name, {}) for name in (templates[0] | templates[1]).keys() - {"name"})
    differ = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if any(NODE_GROUP.replaces(name, {}) for name in differ):
        return Effect.REPLACE
    if templates[0] != templates[1] or "releaseVersion" in differ:
        return Effect.ROLL
    return Effect.IN_PLACE if differ or more else Effect.NOTHING


def by_the_arguments(before: PoolConfig, after: PoolConfig) -> Effect:
    old, new = declared(before, "1.34"), declared(after, "1.34")
    templates = old.pop("launch_template"), new.pop("launch_template")
    more = old.pop("calendar") != new.pop("calendar")
    if after.sized_elsewhere:
        del old["scaling_config"]["desired_size"], new["scaling_config"]["desired_size"]
    groups = [{camel(name): value for name, value in one.items()} for one in (old, new)]
    return by_the_tables(groups[0], groups[1], templates, more)


@pytest.fixture(scope="module")
def stood() -> Cloud:
    """The resources of the pool that the changes are made to."""
    return pool(**GPU, subnets=[GPU["zone"]])


def by_the_resources(stood: Cloud, after: dict[str, Any]) -> Effect:
    clouds = [stood, pool(**after, subnets=[after["zone"]])]
    groups, templates = (
        [next(iter(cloud.of(kind).values())) for cloud in clouds]
        for kind in ("aws:eks/nodeGroup:NodeGroup", "aws:ec2/launchTemplate:LaunchTemplate")
    )
    return by_the_tables(groups[0], groups[1], (templates[0], templates[1]), more=False)


@st.composite
def changes(draw: st.DrawFn) -> tuple[PoolConfig, PoolConfig]:
    """Two pools: anything against anything, or one setting of one in the other."""
    one, other = (draw(pools("us-east-1", ZONES)) for _ in range(2))
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(other)))
        other = {**one, name: other[name]}
    try:
        return PoolConfig(**one), PoolConfig(**other)
    except ValidationError:
        assume(False)
        raise


@settings(max_examples=40, deadline=None)
@given(pair=changes())
def test_it_is_what_the_resources_would_do(pair: tuple[PoolConfig, PoolConfig]) -> None:
    assert recycles(*pair, VERSIONS).effect is by_the_arguments(*pair)


@settings(max_examples=30, deadline=None)
@given(values=pools("us-east-1", ZONES))
def test_what_does_not_change_recycles_nothing(values: dict[str, Any]) -> None:
    config = PoolConfig(**values)
    again = PoolConfig.model_validate(config.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert recycles(config, again, VERSIONS) == recycles(config, config, VERSIONS)
    assert recycles(config, again, VERSIONS).effect is Effect.NOTHING


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"instance_type": "p5.48xlarge"}, Effect.REPLACE),
        ({"capacity": "spot"}, Effect.REPLACE),
        ({"zone": "us-east-1b"}, Effect.REPLACE),
        ({"disk_size_gb": 500}, Effect.ROLL),
        ({"ami_release": "1.34.1-20251001"}, Effect.ROLL),
        ({"ami_release": "1.34.2-20260128"}, Effect.NOTHING),
        ({"efa_interfaces": 4}, Effect.ROLL),
        ({"max_pods": 40}, Effect.ROLL),
        ({"verified": True}, Effect.ROLL),
        ({"placement_group": True}, Effect.ROLL),
        ({"capacity_reservation_id": "cr-0123456789abcdef0"}, Effect.ROLL),
        ({"labels": {"team": "a"}}, Effect.IN_PLACE),
        ({"node_repair": {}}, Effect.IN_PLACE),
        ({"max_unavailable": 2}, Effect.IN_PLACE),
        ({}, Effect.NOTHING),
    ],
)
def test_each_setting_has_its_effect_and_is_the_reason(stood: Cloud, change: dict[str, Any], effect: Effect) -> None:
    found = changed(change)
    assert found.effect is by_the_resources(stood, {**GPU, **change}) is effect
    assert found.because == (tuple(change) if effect else ())


def test_of_several_settings_the_one_that_costs_most_is_named() -> None:
    found = changed({"disk_size_gb": 500, "labels": {"a": "b"}, "instance_type": "p5.48xlarge"})
    assert (found.effect, found.because) == (Effect.REPLACE, ("instance_type",))
    assert changed({"disk_size_gb": 500, "labels": {"a": "b"}}).because == ("disk_size_gb",)


def test_scaling_down_tells_how_many_go_and_an_autoscaler_s_size_is_its_own() -> None:
    base = {**GPU, "desired_size": 4, "max_size": 8}
    assert changed({"desired_size": 3}, base).sentence("h200") == "pool h200: 1 node goes, because desired_size changes"
    assert changed({"desired_size": 3}, {**base, "autoscaled": True}).effect is Effect.NOTHING


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"disk_size_gb": 500}, "2 nodes are recycled (at most 1 away at once), because disk_size_gb changes"),
        (
            {"instance_type": "p5.48xlarge"},
            "the node group is made anew, and 2 nodes are gone until it stands, because",
        ),
        ({"labels": {"a": "b"}}, "no node is recycled, although labels changes"),
        (
            {"disk_size_gb": 500, "max_pods": 40, "update_strategy": "default"},
            "2 nodes are recycled (new ones start first), because disk_size_gb and max_pods change",
        ),
    ],
)
def test_it_is_said_in_one_sentence(change: dict[str, Any], sentence: str) -> None:
    assert changed(change).sentence("h200").startswith(f"pool h200: {sentence}")


def test_a_capacity_block_is_updated_without_nodes_only() -> None:
    block = {**GPU, "capacity": "capacity_block", "capacity_reservation_id": "cr-0123456789abcdef0"}
    assert "at 0 nodes only" in changed({"disk_size_gb": 500}, block).sentence("block")


def test_fewer_reserved_nodes_recycle_none() -> None:
    reserved = {**GPU, "capacity_reservation_id": "cr-0123456789abcdef0"}
    assert changed({"reserved_nodes": 2}, reserved).effect is Effect.NOTHING
