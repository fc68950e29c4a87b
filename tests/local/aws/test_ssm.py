"""An association configures the machines that it targets, with the archive that was put, when it must and not else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from local import associations, configuration
from local.aws.provider import AwsProvider
from local.paths import DataRoot, LocalCloudError
from playbooks.inventory import Inventory
from playbooks.results import Convergence, Failure, HostResult, Status
from tests.local.aws.driver import Driver, Refused, Resource
from tests.playbooks.conftest import here

pytestmark = pytest.mark.real

GROUP = configuration.Group("us-east-1", "dc", "dc-cpu")
TOKEN = "aws:ssm/association:Association"
MARK = {"name": "Leave a mark", "ansible.builtin.copy": {"dest": "{{ folder }}/{{ inventory_hostname }}", "content": "{{ mark }}"}}  # fmt: skip # noqa: E501
REFUSE = {"name": "Refuse some", "ansible.builtin.fail": {"msg": "no clock"}, "when": "inventory_hostname in refused"}


@dataclass
class FakeMachine:
    name: str
    tags: dict[str, str] = field(default_factory=lambda: {"team": "dc"})
    region: str = "us-east-1"
    running: bool = True
    cluster: str = "dc"
    nodegroup: str = "dc-cpu"
    address: str = "127.0.0.1"
    ssh_key: Path = Path("/nowhere")
    host_key: str = "ssh-ed25519 AAAA"


class Cloud:
    """A region with machines on which Ansible really runs: this one, under their names."""

    def __init__(self, root: DataRoot, folder: Path) -> None:
        self.driver, self.root, self.folder = Driver(AwsProvider(root)).configure(region="us-east-1"), root, folder
        self.machines: list[FakeMachine] = []
        self.bucket = self.driver.create("aws:s3/bucket:Bucket", folder.name.replace("_", "-"), {"forceDestroy": True})

    def put(self, mark: str, refused: Iterable[str] = ()) -> str:
        """An archive whose playbook leaves ``mark`` everywhere, unless the machine is to refuse."""
        variables = {"folder": str(self.folder), "mark": mark, "refused": list(refused)}
        play = {"hosts": "all", "gather_facts": False, "vars": variables, "tasks": [REFUSE, MARK]}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("site.yml", json.dumps([play]))
        client = configuration.Account(self.root).client("s3", "us-east-1")
        client.put_object(Bucket=self.bucket.id, Key=f"playbooks/{mark}.zip", Body=buffer.getvalue())
        return f"https://s3.us-east-1.amazonaws.com/{self.bucket.id}/playbooks/{mark}.zip"

    def inputs(self, path: str, **more: Any) -> dict[str, Any]:
        parameters = {"SourceType": "S3", "SourceInfo": json.dumps({"path": path}), "PlaybookFile": "site.yml",
                      "ExtraVariables": "SSM=True", "Check": "False"}  # fmt: skip
        targets = [{"key": "tag:team", "values": ["dc"]}]
        return {"name": "AWS-ApplyAnsiblePlaybooks", "associationName": "dc-nodes", "targets": targets,
                "parameters": parameters, **more}  # fmt: skip

    def associate(self, path: str, **more: Any) -> Resource:
        return self.driver.create(TOKEN, self.folder.name, self.inputs(path, **more))

    def marks(self) -> dict[str, str]:
        found = {path.name: path.read_text() for path in self.folder.iterdir()}
        for path in self.folder.iterdir():
            path.unlink()
        return found


@pytest.fixture
def cloud(
    root: DataRoot, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Cloud:
    found = Cloud(root, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))  # of the machines' user, who is this one here
    monkeypatch.setattr(configuration, "list_machines", lambda _root: found.machines)
    monkeypatch.setattr(
        configuration,
        "inventory",
        lambda machines, variables: Inventory(hosts=tuple(here(one.name) for one in machines), variables=variables),
    )
    for old in associations.associations(root):
        (next(root.recorded.rglob(f"{old.id}.json"))).unlink()
    return found


@pytest.fixture
def played(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The same, and the archive's playbook is played without Ansible, which takes over a second a run.

    For what is asked of which machines when; that Ansible does it, and how its failures are told, is tested with it.
    """

    def converge(
        inventory: Inventory, *, project: bytes, playbook: str, limit: Sequence[str] = (), **_: Any
    ) -> Convergence:
        with zipfile.ZipFile(io.BytesIO(project)) as archive:
            (play,) = json.loads(archive.read(playbook))
        given = play["vars"]
        failure = Failure(task="Refuse some", message="no clock")
        names = [name for name in inventory.names if not limit or name in limit]
        for name in names:
            if name not in given["refused"]:
                (Path(given["folder"]) / name).write_text(given["mark"])
        hosts = [
            HostResult(name=name, status=Status.FAILED, tasks=1, failure=failure)
            if name in given["refused"]
            else HostResult(name=name, status=Status.CHANGED, tasks=2, changes=("Leave a mark",))
            for name in names
        ]
        return Convergence(hosts=tuple(hosts), seconds=0.0)

    monkeypatch.setattr(configuration, "converge", converge)
    return cloud


def test_the_machines_that_it_targets_get_the_archive_that_was_put(cloud: Cloud) -> None:
    other, elsewhere = FakeMachine("other", {"team": "else"}), FakeMachine("far", region="eu-west-1")
    cloud.machines = [FakeMachine("a"), FakeMachine("b"), FakeMachine("off", running=False), other, elsewhere]
    cloud.associate(cloud.put("one"))
    assert cloud.marks() == {"a": "one", "b": "one"}


def test_another_archive_is_applied_and_a_change_that_no_machine_sees_is_not(played: Cloud) -> None:
    played.machines = [FakeMachine("a")]
    path = played.put("one")
    made = played.associate(path)
    played.marks()
    updated = played.driver.update(made, played.inputs(path, maxErrors="50%"))
    assert played.marks() == {}
    played.driver.update(updated, played.inputs(played.put("two"), maxErrors="50%"))
    assert played.marks() == {"a": "two"}


def test_a_machine_that_refuses_fails_the_association_which_stays_while_the_others_are_configured(cloud: Cloud) -> None:
    cloud.machines = [FakeMachine("good"), FakeMachine("bad")]
    with pytest.raises(Refused) as refused:
        cloud.associate(cloud.put("one", refused=["bad"]))
    assert refused.value.trailing, "it must stay in the state"
    assert b"bad: failed: Refuse some: no clock" in refused.value.trailing
    assert b"1 of 2 machines" in refused.value.trailing
    assert cloud.marks() == {"good": "one"}
    (kept,) = associations.associations(cloud.root)
    assert kept.name == "dc-nodes"


def test_a_machine_that_joins_is_configured_and_no_other_is_touched(played: Cloud) -> None:
    made = played.associate(played.put("one"))
    played.machines = [FakeMachine("old"), FakeMachine("new"), FakeMachine("other", {"team": "else"})]
    configuration.configure_joined(played.root, GROUP, ["new", "other"])
    assert played.marks() == {"new": "one"}
    played.driver.delete(made)
    configuration.configure_joined(played.root, GROUP, ["new"])
    assert played.marks() == {}


def test_a_machine_that_joins_and_cannot_be_configured_is_named(played: Cloud) -> None:
    played.associate(played.put("one", refused=["new"]))
    played.machines = [FakeMachine("new")]
    with pytest.raises(LocalCloudError, match="dc-nodes failed on 1 of 1 machines:\nnew: failed: Refuse some"):
        configuration.configure_joined(played.root, GROUP, ["new"])


def test_a_machine_whose_run_was_killed_or_failed_is_configured_when_the_next_one_joins(played: Cloud) -> None:
    played.associate(played.put("one"))
    played.machines = [FakeMachine("lost"), FakeMachine("done")]
    configuration.expect(played.root, GROUP, ["lost"])  # and then nothing: the run was killed
    configuration.configure_joined(played.root, GROUP, [])
    assert played.marks() == {"lost": "one"}
    configuration.configure_joined(played.root, GROUP, [])
    assert played.marks() == {}


def test_a_group_neither_configures_nor_forgets_the_machines_of_another_that_still_boot(played: Cloud) -> None:
    played.associate(played.put("one"))
    gpu, twin = replace(GROUP, name="dc-gpu"), replace(GROUP, cluster="dc-2")
    played.machines = [FakeMachine("a"), FakeMachine("b", nodegroup="dc-gpu"), FakeMachine("a", cluster="dc-2")]
    configuration.expect(played.root, gpu, ["b"])
    configuration.expect(played.root, twin, ["a"])
    configuration.configure_joined(played.root, GROUP, ["a"])
    assert played.marks() == {"a": "one"}
    configuration.configure_joined(played.root, gpu, [])
    assert played.marks() == {"b": "one"}
    configuration.configure_joined(played.root, twin, [])
    assert played.marks() == {"a": "one"}


def test_a_machine_that_does_not_run_stays_expected_and_one_that_is_gone_does_not(played: Cloud) -> None:
    played.associate(played.put("one"))
    played.machines = [FakeMachine("off", running=False)]
    configuration.configure_joined(played.root, GROUP, ["off", "gone"])
    assert played.marks() == {}
    played.machines = [FakeMachine("off"), FakeMachine("gone")]
    configuration.configure_joined(played.root, GROUP, [])
    assert played.marks() == {"off": "one"}


def test_a_group_that_is_removed_leaves_nothing_expected(played: Cloud) -> None:
    played.associate(played.put("one"))
    played.machines = [FakeMachine("a")]
    configuration.expect(played.root, GROUP, ["a"])
    configuration.forget(played.root, GROUP)
    configuration.configure_joined(played.root, GROUP, [])
    assert played.marks() == {}


def test_nodes_that_are_processes_start_no_ansible(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "converge", lambda *_, **__: pytest.fail("Ansible was started"))
    made = cloud.associate("https://s3.us-east-1.amazonaws.com/no-bucket/no.zip")
    assert cloud.driver.read(made) is not None


def test_an_archive_that_is_not_there_is_told_with_its_bucket(cloud: Cloud) -> None:
    cloud.machines = [FakeMachine("a")]
    with pytest.raises(Refused) as refused:
        cloud.associate(f"https://s3.us-east-1.amazonaws.com/{cloud.bucket.id}/playbooks/none.zip")
    assert b"NoSuchKey" in refused.value.trailing


def test_variables_that_cannot_be_read_are_told_with_the_reason(cloud: Cloud) -> None:
    cloud.machines = [FakeMachine("a")]
    inputs = cloud.inputs(cloud.put("one"))
    inputs["parameters"]["ExtraVariables"] = "a='b"
    with pytest.raises(Refused) as refused:
        cloud.driver.create(TOKEN, cloud.folder.name, inputs)
    said = b"ExtraVariables of dc-nodes are not key=value pairs as a shell reads them (no closing quotation): a='b"
    assert said in refused.value.trailing
    assert cloud.marks() == {}


def server(name: str = "server", **more: Any) -> FakeMachine:
    return FakeMachine(name, {"watch": "dc", "ai-datacenter:monitoring": "dc"}, nodegroup="", **more)


def watch(cloud: Cloud, mark: str) -> Resource:
    return cloud.associate(cloud.put(mark), targets=[{"key": "tag:watch", "values": ["dc"]}])


def test_a_machine_that_is_no_node_is_told_when_nodes_come_and_go_and_else_left_alone(cloud: Cloud) -> None:
    node, new = FakeMachine("a"), FakeMachine("b", address="192.0.2.2")
    cloud.machines = [server(), node]
    watch(cloud, "one")
    assert cloud.marks() == {"server": "one"}
    configuration.tell_of_nodes(cloud.root, "us-east-1", "dc")
    assert cloud.marks() == {}
    cloud.machines = [server(), node, new]
    configuration.tell_of_nodes(cloud.root, "us-east-1", "other")
    assert cloud.marks() == {}
    configuration.tell_of_nodes(cloud.root, "us-east-1", "dc")
    assert cloud.marks() == {"server": "one"}
    cloud.machines = [server(), replace(node, running=False), new]
    configuration.tell_of_nodes(cloud.root, "us-east-1", "dc")
    assert cloud.marks() == {}, "a node that is dead is still to be watched"
    cloud.machines = [server(), new]
    configuration.tell_of_nodes(cloud.root, "us-east-1", "dc")
    assert cloud.marks() == {"server": "one"}


def test_a_server_that_is_dead_or_refuses_is_told_the_next_time(cloud: Cloud) -> None:
    cloud.machines = [server(), FakeMachine("a")]
    made = watch(cloud, "one")
    cloud.marks()
    cloud.machines = [server(running=False)]
    configuration.tell_of_nodes(cloud.root, "us-east-1", "dc")
    assert cloud.marks() == {}
    cloud.machines = [server()]
    targets = [{"key": "tag:watch", "values": ["dc"]}]
    with pytest.raises(Refused):
        cloud.driver.update(made, cloud.inputs(cloud.put("two", refused=["server"]), targets=targets))
    with pytest.raises(LocalCloudError, match="server: failed: Refuse some"):
        configuration.tell_of_nodes(cloud.root, "us-east-1", "dc")


def test_machines_are_in_the_groups_by_which_playbooks_find_them() -> None:
    assert configuration.groups_of(FakeMachine("a")) == ("nodes", "dc_cpu")  # type: ignore[arg-type]
    assert configuration.groups_of(server()) == ("monitoring",)  # type: ignore[arg-type]
    assert configuration.groups_of(FakeMachine("x", nodegroup="")) == ()  # type: ignore[arg-type]


def test_who_converges_by_hand_gives_each_machine_the_variables_of_its_associations(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    inputs = cloud.inputs(cloud.put("one"), targets=[{"key": "tag:watch", "values": ["dc"]}])
    inputs["parameters"]["ExtraVariables"] = "SSM=True prometheus_retention_days=7"
    cloud.driver.create(TOKEN, cloud.folder.name, inputs)
    found = configuration.as_declared(cloud.root, [server(), FakeMachine("a")])  # type: ignore[list-item]
    of_server, of_node = (dict(host.variables) for host in found.hosts)
    where: Any = of_server.pop("prometheus_aws_environment")
    assert where["AWS_ENDPOINT_URL"].startswith("http://")  # the AWS that answers here
    assert of_server == {"SSM": "True", "prometheus_retention_days": "7"}
    assert of_node == {}
