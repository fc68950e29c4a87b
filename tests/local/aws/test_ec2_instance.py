"""An instance is a record, and a machine where there can be one: never two, mended when it dies, gone when deleted."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from local import configuration, control_plane, vehicle
from local.addresses import LOOPBACK
from local.aws import ec2_machine
from local.aws.provider import AwsProvider
from local.control_plane import ControlPlane
from local.control_plane.ports import Place
from local.machines import instances
from local.machines.instances import Instance
from local.node_spec import NodeSpec
from local.paths import DataRoot
from tests.local.aws.driver import Driver, Resource, changed

pytestmark = pytest.mark.real

TOKEN = "aws:ec2/instance:Instance"


class Machines:
    """Stands in for podman's machines: what was started, and what runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up: dict[str, Instance] = {}
        self.started: list[str] = []
        self.configured: list[list[str]] = []
        monkeypatch.setattr(instances, "start", self._start)
        monkeypatch.setattr(instances, "stop", lambda plane, name: self.up.pop(name, None))
        monkeypatch.setattr(instances, "running", lambda plane, name: name in self.up)
        monkeypatch.setattr(instances, "address", lambda plane, name: "198.18.16.9" if name in self.started else None)
        monkeypatch.setattr(instances, "list_instances", lambda plane: list(self.up.values()))
        monkeypatch.setattr(
            configuration, "configure_joined", lambda root, group, names: self.configured.append(list(names))
        )

    def _start(self, plane: ControlPlane, instance: Instance) -> None:
        if instance.name not in self.up:
            self.started.append(instance.name)
        self.up[instance.name] = instance


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    return Machines(monkeypatch)


@pytest.fixture
def subnet(driver: Driver, request: pytest.FixtureRequest) -> Resource:
    name = request.node.name
    vpc = driver.create("aws:ec2/vpc:Vpc", name, {"cidrBlock": "10.0.0.0/16"})
    return driver.create("aws:ec2/subnet:Subnet", name, {"vpcId": vpc.id, "cidrBlock": "10.0.0.0/20"})


@pytest.fixture
def plane(subnet: Resource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """A cluster of machines in the subnet's VPC."""
    found = ControlPlane("us-east-1", "dc", tmp_path / "us-east-1.dc", Place(LOOPBACK, 20_000))
    found.nodes_folder.mkdir(parents=True)
    monkeypatch.setattr(vehicle, "recorded", lambda root: vehicle.Vehicle("machines", "", LOOPBACK))
    monkeypatch.setattr(control_plane, "clusters", lambda root: [found])
    monkeypatch.setattr(ec2_machine, "_vpc_of", lambda cloud, cluster: subnet.outputs["vpcId"])
    return found


def inputs(subnet: Resource, **more: Any) -> dict[str, Any]:
    return {
        "ami": "ami-0123456789abcdef0", "instanceType": "m7i.large", "subnetId": subnet.id, "tags": {"Name": "server"},
        **more,
    }  # fmt: skip


def test_an_instance_has_a_machine_that_is_configured_as_it_joins(
    driver: Driver, subnet: Resource, plane: ControlPlane, machines: Machines
) -> None:
    made = driver.create(TOKEN, "a", inputs(subnet))
    assert machines.up["server"] == Instance(
        "server", made.id, "m7i.large", subnet.outputs["availabilityZone"], {"Name": "server", "stack": "test"}
    )
    assert machines.configured == [["server"]]
    assert made.outputs["privateIp"] == "198.18.16.9"
    driver.update(made, inputs(subnet, tags={"Name": "server", "team": "x"}))
    assert machines.started == ["server"]
    assert machines.up["server"].tags["team"] == "x"
    driver.delete(made)
    assert machines.up == {}
    assert driver.read(made) is None


def test_another_name_is_one_other_machine_and_never_two(
    driver: Driver, subnet: Resource, plane: ControlPlane, machines: Machines
) -> None:
    made = driver.create(TOKEN, "renamed", inputs(subnet))
    machines.up["other"] = Instance("other", "i-other", "m7i.large", "us-east-1a")
    driver.update(made, inputs(subnet, tags={"Name": "watcher"}))
    assert set(machines.up) == {"watcher", "other"}


def test_a_machine_that_died_is_drift_and_the_next_update_starts_it(
    driver: Driver, subnet: Resource, plane: ControlPlane, machines: Machines
) -> None:
    made = driver.create(TOKEN, "b", inputs(subnet))
    machines.up.clear()
    read = driver.read(made)
    assert read
    assert read.outputs["instanceState"] == "stopped"
    assert changed(driver.diff(read, inputs(subnet))) == {"localMachine": "delete"}
    mended = driver.update(read, inputs(subnet))
    assert mended.outputs["instanceState"] == "running"
    assert machines.started == ["server", "server"]
    assert machines.configured[-1] == ["server"]


def test_an_instance_that_a_killed_run_made_is_taken_over_with_its_machine(
    root: DataRoot, subnet: Resource, plane: ControlPlane, machines: Machines
) -> None:
    def fresh() -> Driver:
        return Driver(AwsProvider(root)).configure(region="us-east-1", defaultTags=json.dumps({"tags": {}}))

    first = fresh().create(TOKEN, "c", inputs(subnet))
    again = fresh().create(TOKEN, "c", inputs(subnet))
    assert again.id == first.id
    assert machines.started == ["server"]


def test_an_instance_that_is_replaced_takes_its_machine_along_first(
    driver: Driver, subnet: Resource, plane: ControlPlane, machines: Machines
) -> None:
    made = driver.create(TOKEN, "d", inputs(subnet))
    diff = driver.diff(made, inputs(subnet, ami="ami-0123456789abcdef1"))
    assert diff.replaces
    assert diff.deleteBeforeReplace


def test_the_machine_of_another_instance_is_not_removed(
    driver: Driver, subnet: Resource, plane: ControlPlane, machines: Machines
) -> None:
    made = driver.create(TOKEN, "e", inputs(subnet))
    machines.up["server"] = Instance("server", "i-other", "m7i.large", "us-east-1a")
    driver.delete(made)
    assert machines.up.keys() == {"server"}


@pytest.mark.parametrize("name", ["", "no host's name", "a-0"])
def test_a_name_that_no_host_can_have_or_a_node_has_makes_room_for_the_id(
    driver: Driver, subnet: Resource, plane: ControlPlane, machines: Machines, name: str
) -> None:
    NodeSpec("a-0", "a", "m7i.large", "us-east-1a", 2, 8192).write(plane.nodes_folder / "a-0")
    made = driver.create(TOKEN, f"f{len(name)}", inputs(subnet, tags={"Name": name}))
    assert list(machines.up) == [made.id]


def test_where_nodes_are_processes_it_is_a_record_and_counts_as_emulated(
    driver: Driver, subnet: Resource, machines: Machines
) -> None:
    made = driver.create(TOKEN, "g", inputs(subnet))
    assert machines.started == []
    assert made.outputs["privateIp"].startswith("10.0.")
    read = driver.read(made)
    assert read
    assert read.outputs == made.outputs
    assert driver.provider.fidelity_of(TOKEN) == "emulated"  # type: ignore[attr-defined]
    driver.delete(made)


def test_an_image_is_the_same_one_every_time_and_another_in_another_region(driver: Driver) -> None:
    question = {"owners": ["1"], "filters": [{"name": "name", "values": ["debian-12-amd64-*"]}], "mostRecent": True}
    first, again = (driver.invoke("aws:ec2/getAmi:getAmi", **question) for _ in range(2))
    elsewhere = driver.invoke("aws:ec2/getAmi:getAmi", **question, region="eu-west-1")
    assert first["id"] == again["id"] != elsewhere["id"]
    assert first["id"].startswith("ami-")


def test_a_preview_keeps_what_the_service_filled_into_an_input_that_stays(driver: Driver, subnet: Resource) -> None:
    options = {"httpTokens": "required"}
    made = driver.create(TOKEN, "h", inputs(subnet, metadataOptions=options))
    made.outputs["metadataOptions"] = filled = {**options, "instanceMetadataTags": "disabled"}
    planned = driver.update(made, inputs(subnet, metadataOptions=options, tags={"Name": "other"}), preview=True)
    assert planned.outputs["metadataOptions"] == filled
    assert planned.outputs["tags"] == {"Name": "other"}
    changed_too = driver.update(made, inputs(subnet, metadataOptions={"httpTokens": "optional"}), preview=True)
    assert changed_too.outputs["metadataOptions"] == {"httpTokens": "optional"}


DISK = {"volumeSize": 50, "volumeType": "gp3", "encrypted": True, "kmsKeyId": "arn:key", "deleteOnTermination": True}
FULL = {"userData": "#!/bin/sh\n", "rootBlockDevice": DISK, "iamInstanceProfile": "one"}


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"rootBlockDevice": {**DISK, "volumeSize": 80}}, False),
        ({"rootBlockDevice": {**DISK, "volumeType": "io2", "deleteOnTermination": False}}, False),
        ({"rootBlockDevice": {**DISK, "kmsKeyId": "arn:other"}}, True),
        ({"rootBlockDevice": {**DISK, "encrypted": False}}, True),
        ({"iamInstanceProfile": "two"}, False),
        ({"userData": "#!/bin/dash\n"}, False),
        ({"userData": "#!/bin/dash\n", "userDataReplaceOnChange": True}, True),
        ({"userDataReplaceOnChange": True}, False),
    ],
)
def test_only_what_the_cloud_cannot_change_in_place_replaces_an_instance_with_all_that_it_holds(
    driver: Driver, subnet: Resource, change: dict[str, Any], replaces: bool
) -> None:
    made = Resource(f"urn:pulumi:test::p::{TOKEN}::i", inputs(subnet, **FULL), {}, "i-1")
    diff = driver.diff(made, inputs(subnet, **{**FULL, **change}))
    assert changed(diff)
    assert bool(diff.replaces) == replaces


def test_disk_profile_and_user_data_are_changed_on_the_instance_that_there_is(
    driver: Driver, subnet: Resource, machines: Machines
) -> None:
    for name in ("one", "two"):
        driver.create("aws:iam/instanceProfile:InstanceProfile", name, {"name": name})
    disk = {"volumeSize": 50, "volumeType": "gp3"}
    made = driver.create(TOKEN, "settled", inputs(subnet, **{**FULL, "rootBlockDevice": disk}))
    more = {"rootBlockDevice": {**disk, "volumeSize": 80}, "iamInstanceProfile": "two", "userData": "#!/bin/dash\n"}
    assert driver.update(made, inputs(subnet, **more)).id == made.id
    ec2 = driver.provider._configured.cloud  # type: ignore[attr-defined]
    (found,) = ec2.call("ec2", "describe_instances", InstanceIds=[made.id])["Reservations"][0]["Instances"]
    (mapping,) = [one for one in found["BlockDeviceMappings"] if one["DeviceName"] == "/dev/xvda"]
    (volume,) = ec2.call("ec2", "describe_volumes", VolumeIds=[mapping["Ebs"]["VolumeId"]])["Volumes"]
    assert volume["Size"] == 80
    (profile,) = ec2.call("ec2", "describe_iam_instance_profile_associations")["IamInstanceProfileAssociations"]
    assert profile["IamInstanceProfile"]["Arn"].endswith("/two")
    data = ec2.call("ec2", "describe_instance_attribute", InstanceId=made.id, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(data) == b"#!/bin/dash\n"
    driver.update(driver.read(made), inputs(subnet, userData="#!/bin/dash\n"))  # type: ignore[arg-type]
    assert not ec2.call("ec2", "describe_iam_instance_profile_associations")["IamInstanceProfileAssociations"]
