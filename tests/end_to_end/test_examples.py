"""Each example is taken as it is, previews, comes up on this machine with a trained model, and is whole after that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.config import load
from components.node_group import POOL_LABEL
from components.settings import UNVERIFIED, StackConfig
from local import control_plane
from local.aws.provider import account_of
from local.node_spec import NodeSpec
from local.paths import CHECKOUT
from tests.end_to_end.conftest import Checkout

EXAMPLES = sorted((CHECKOUT / "examples").glob("Pulumi.*.yaml"))
_THEIR_ACCOUNT, _LOCAL_ACCOUNT = "111122223333", "123456789012"

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
# These have all that the others have; those come up where there is time (make soak).
_FULLEST = ("multi-region", "p5en-cluster", "tpu")
each = pytest.mark.parametrize(
    "example",
    [
        pytest.param(file, id=stack, marks=() if stack in _FULLEST else pytest.mark.soak)
        for file in EXAMPLES
        for stack in [file.name.split(".")[1]]
    ],
)


@pytest.fixture
def whole(checkout: Checkout) -> Iterator[Checkout]:
    """The module's checkout, with nothing up before and after."""
    yield checkout
    checkout.down()


def as_a_user_has_it(example: Path, checkout: Checkout) -> str:
    """The example with the account, with the id of the DNS zone that is there before the stack, and a short test."""
    text, balancer = example.read_text().replace(_THEIR_ACCOUNT, _LOCAL_ACCOUNT), load(example).load_balancer
    text = re.sub(r"\bsteps: \d+", "steps: 20", text)  # two cores stand in for sixteen accelerators
    if balancer is None or balancer.zone_id is None or balancer.domain_name is None:
        return text
    domain = balancer.domain_name.partition(".")[2]
    route53 = account_of(checkout.root).at(load(example).aws.region)
    zone = route53.call("route53", "create_hosted_zone", Name=domain, CallerReference="example")["HostedZone"]["Id"]
    return text.replace(balancer.zone_id, zone.rpartition("/")[2])


def check_verified(checkout: Checkout, config: StackConfig) -> None:
    """Nodes of pools that say so began with the taint, and none of those that trained has it any more."""
    name = config.smoke_test.pool
    pool = config.pools[name]
    if not pool.verified:
        return
    (plane,) = control_plane.clusters(checkout.root)
    specs = [one for one in NodeSpec.of_folders(plane.nodes_folder, None) if one.labels[POOL_LABEL] == name]
    assert len(specs) == pool.desired_size
    for spec in specs:
        assert UNVERIFIED in {taint.key for taint in spec.first_taints}
        node = plane.api().get(f"/api/v1/nodes/{spec.name}")
        assert UNVERIFIED not in {taint["key"] for taint in node["spec"].get("taints") or []}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.name.split(".")[1])
def test_an_example_is_planned_as_it_is(checkout: Checkout, example: Path) -> None:
    (checkout.folder / example.name).write_text(example.read_text())
    planned, told = checkout.aidc("preview", "--stack", example.name.split(".")[1])
    assert not planned["errors"], told
    assert planned["changes"]["create"] > 0


@each
def test_an_example_comes_up_trains_and_stays_as_it_is(whole: Checkout, example: Path) -> None:
    stack = example.name.split(".")[1]
    assert load(example).aws.allowed_account_ids == (_THEIR_ACCOUNT,)
    (whole.folder / example.name).write_text(as_a_user_has_it(example, whole))
    planned, told = whole.aidc("preview", "--stack", stack)
    assert not planned["errors"], told
    made, told = whole.aidc("up", "--stack", stack)
    assert made["passed"], told
    assert made["changes"]["create"] == planned["changes"]["create"]
    check_verified(whole, load(example))
    refreshed, told = whole.aidc("refresh", "--stack", stack)
    assert {op: n for op, n in refreshed["changes"].items() if n and op != "same"} == {}, told
    whole.aidc("preview", "--stack", stack, "--exit-code")
