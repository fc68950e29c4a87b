"""Every type of the table lives: made, read, unchanged, changed in place, unmade."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local import control_plane
from local.aws.provider import AwsProvider, account_of
from local.aws.resource_type import Call
from local.aws.tables import TYPES
from local.paths import DataRoot
from tests.local.aws.driver import Driver, Resource, changed, urn_of
from tests.local.aws.examples import EXAMPLES, Example, fill

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def world(root: DataRoot) -> Iterator[dict[str, Resource]]:
    """What the examples have made so far, in their order; whatever is left is removed in the end."""
    made = {"zone": Resource("", outputs={"id": _zone(root)}), "primary": Resource("", outputs={"arn": _primary(root)})}
    yield made
    for plane in control_plane.clusters(root):
        plane.remove()


def _zone(root: DataRoot) -> str:
    """A zone of Route 53, which a stack finds and does not make."""
    cloud = account_of(root).at("us-east-1")
    answer = cloud.call("route53", "create_hosted_zone", Name="example.com", CallerReference="test")
    return answer["HostedZone"]["Id"].rpartition("/")[2]


def _primary(root: DataRoot) -> str:
    """A multi-Region key of another region, which a replica here is of."""
    answer = account_of(root).at("us-west-2").call("kms", "create_key", MultiRegion=True)
    return answer["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def engine(root: DataRoot) -> Driver:
    return Driver(AwsProvider(root)).configure(region="us-east-1", defaultTags='{"tags": {"stack": "test"}}')


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_made_read_and_changed_in_place(example: Example, world: dict[str, Resource], engine: Driver) -> None:
    inputs = fill(example.inputs, world)
    made = engine.create(example.token, example.name, inputs)
    world[example.name] = made
    assert made.id == made.outputs["id"]
    assert made.outputs["region"] == "us-east-1"
    assert [name for name in example.outputs if made.outputs.get(name) in (None, "", {}, [])] == []
    if TYPES[example.token].taggable:
        assert made.outputs["tagsAll"] == {"stack": "test", **inputs.get("tags", {})}
        assert made.outputs["tags"] == inputs.get("tags", {})

    assert changed(engine.diff(made, inputs)) == {}
    read = engine.read(made)
    assert read is not None
    assert read.inputs == made.inputs
    assert read.outputs == made.outputs

    if example.change is None:
        return
    wanted = {k: v for k, v in {**inputs, **fill(example.change, world)}.items() if v is not None}
    diff = engine.diff(made, wanted)
    assert set(changed(diff)) == _paths(example, wanted)
    assert not diff.replaces
    updated = engine.update(made, wanted)
    assert changed(engine.diff(updated, wanted)) == {}
    read = engine.read(updated)
    assert read is not None
    assert read.inputs == updated.inputs
    world[example.name] = updated


def _paths(example: Example, wanted: dict[str, object]) -> set[str]:
    if "tags" in example.paths and "tags" not in example.inputs:
        return {"tags"}
    return set(example.paths)


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if TYPES[one.token].taggable], ids=lambda example: example.name
)
def test_tags_come_change_and_go(example: Example, world: dict[str, Resource], engine: Driver) -> None:
    resource = world[example.name]
    for tags in ({"stays": "1", "changes": "1", "goes": "1"}, {"stays": "1", "changes": "2"}, {}):
        resource = engine.update(resource, {**resource.inputs, "tags": tags})
        read = engine.read(resource)
        assert read is not None
        assert read.outputs["tags"] == tags
        assert read.outputs["tagsAll"] == {"stack": "test", **tags}
    world[example.name] = resource


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_what_a_killed_run_has_made_is_taken_over_and_not_made_again(
    example: Example, world: dict[str, Resource], root: DataRoot
) -> None:
    unknowing = Driver(AwsProvider(root)).configure(region="us-east-1", defaultTags='{"tags": {"stack": "test"}}')
    made = world[example.name]
    again = unknowing.create(example.token, example.name, {k: v for k, v in made.inputs.items() if k != "tagsAll"})
    assert again.id == made.id
    world[example.name] = again


# A rule of a security group is what it says: EC2 has no second one that says the same.
_OF_MANY = [one for one in EXAMPLES if TYPES[one.token].taggable and "vpc/securityGroup" not in one.token]


@pytest.mark.parametrize("example", _OF_MANY, ids=lambda example: example.name)
def test_what_others_have_made_is_not_taken_for_ones_own(
    example: Example, world: dict[str, Resource], root: DataRoot
) -> None:
    own = {key: value for key, value in world[example.name].inputs.items() if key != "tagsAll"}
    other = Call(account_of(root).at("us-east-1"), urn_of(example.token, "another"), own)
    assert world[example.name].id not in TYPES[example.token].find(other)


@pytest.mark.parametrize("example", EXAMPLES[::-1], ids=lambda example: example.name)
def test_deleted_and_gone(example: Example, world: dict[str, Resource], engine: Driver) -> None:
    resource = world.pop(example.name)
    engine.delete(resource)
    if not example.stays:
        assert engine.read(resource) is None
    engine.delete(resource)


def test_every_type_has_an_example() -> None:
    assert {example.token for example in EXAMPLES} == set(TYPES)
