"""Nodes that are machines: they boot, join, train over a network of their own, are mended, and leave nothing.

The tests build on one another, in order, as those with process nodes do.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local import control_plane, networks
from local.addresses import is_ours
from local.machines import Machine, list_machines
from local.processes import wait_until
from operations import metrics
from tests.end_to_end.conftest import Checkout
from tests.playbooks.prometheus import RULES_TESTS, SECRET, render, rules

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]

IMPATIENT = "    scrape_interval_s: 2\n    node_down_s: 6"
"""What a test cannot wait for: the stack files' own are 15 s and a minute."""


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def containers(checkout: Checkout) -> dict[str, str]:
    """The checkout's containers by name, with their identities."""
    listed = json.loads(
        run("podman", "ps", "--all", "--format=json", f"--filter=label=ai-datacenter.root={checkout.root.path}")
    )
    return {one["Names"][0]: one["Id"] for one in listed}


def machine(checkout: Checkout, number: int) -> Machine:
    (found,) = [one for one in list_machines(checkout.root) if one.name.endswith(f"-{number}")]
    return found


def container(checkout: Checkout, number: int) -> str:
    (name,) = [name for name in containers(checkout) if name.endswith(f"-{number}")]
    return name


def inside(checkout: Checkout, number: int, *command: str) -> str:
    return run("podman", "exec", container(checkout, number), *command)


def prometheus(checkout: Checkout) -> str:
    """The address of the one server; of the data centre in the east, where there are two."""
    servers = [one for one in list_machines(checkout.root) if not one.nodegroup and one.region == "us-east-1"]
    (server,) = servers
    return f"http://{server.address}:9090"


def asked(checkout: Checkout, question: str) -> Any:
    """What Prometheus answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{prometheus(checkout)}/api/v1/{question}", timeout=5) as answer:
        return json.load(answer)["data"]


def watched(checkout: Checkout) -> dict[str, str]:
    """The health of everything that Prometheus looks at, by the name of the machine."""
    targets = asked(checkout, "targets?state=active")["activeTargets"]
    return {target["labels"]["node"]: target["health"] for target in targets}


def all_watched(checkout: Checkout) -> bool:
    """Whether Prometheus looks at exactly the machines that there are, and all answer it."""
    names = {one.name for one in list_machines(checkout.root) if one.region == "us-east-1"}
    return watched(checkout) == dict.fromkeys(names, "up")


def down(checkout: Checkout) -> set[str]:
    """The nodes of which NodeDown fires."""
    found = metrics.ask("", prometheus(checkout))
    assert not found.reason
    return {alert.node for alert in found.alerts if alert.name == "NodeDown"}


def ready(checkout: Checkout) -> dict[str, bool]:
    data, _ = checkout.aidc("status", code=0 if len(containers(checkout)) else 1)
    return {node["name"]: node["ready"] for node in data["nodes"]}


def test_two_machines_boot_join_and_train_without_the_hosts_network(host_checkout: Checkout) -> None:
    host_checkout.configure({"retention_days: 1": f"retention_days: 1\n{IMPATIENT}"})
    data, told = host_checkout.aidc("up")
    assert data["passed"], told
    assert data["vehicle"] == "they are machines"
    assert data["verdict"]["processes"] == 2
    nodes = host_checkout.kubernetes().get("/api/v1/nodes")["items"]
    assert [node["status"]["nodeInfo"]["containerRuntimeVersion"].split(":")[0] for node in nodes] == ["containerd"] * 2
    pods = host_checkout.kubernetes().get("/api/v1/namespaces/smoke-test/pods")["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    assert not any(pod["spec"].get("hostNetwork") for pod in pods)
    assert (
        len({pod["status"]["podIP"] for pod in pods} | {node["status"]["addresses"][0]["address"] for node in nodes})
        == 4
    )


def test_a_machine_is_a_booted_system_with_no_failed_unit(host_checkout: Checkout) -> None:
    assert inside(host_checkout, 0, "systemctl", "list-units", "--failed", "--plain", "--no-legend") == ""
    assert inside(host_checkout, 0, "systemctl", "is-system-running", "--wait").strip() == "running"
    assert inside(host_checkout, 0, "cat", "/proc/1/comm").strip() == "systemd"


def test_the_kubelet_sees_files_of_its_machine_over_the_settings_of_the_hosts_kernel(host_checkout: Checkout) -> None:
    mounts = inside(host_checkout, 0, "cat", "/proc/self/mountinfo")
    for name in ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"):
        assert f" /proc/sys/{name} " in mounts


def test_prometheus_looks_at_every_machine_and_status_tells_how_busy_nodes_are(host_checkout: Checkout) -> None:
    assert wait_until(lambda: all_watched(host_checkout), 30, 0.5), watched(host_checkout)
    assert len(watched(host_checkout)) == 3

    def is_told() -> bool:
        data, _ = host_checkout.aidc("status")
        known = [value for node in data["nodes"] for value in (node["metrics"] or {"none": None}).values()]
        return len(known) == 10 and None not in known  # a rate needs two looks

    assert wait_until(is_told, 20, 1)


def test_prometheus_knows_the_verdict_of_the_job_that_is_declared(host_checkout: Checkout) -> None:
    data, _ = host_checkout.aidc("status")

    def told() -> list[tuple[str, str]]:
        found = asked(host_checkout, "query?query=smoke_test_passed")["result"]
        return [(one["metric"]["job_name"], one["value"][1]) for one in found]

    assert wait_until(lambda: told() == [(data["verdict"]["job"], "1")], 120, 2), told()


def test_the_server_is_no_node_and_runs_no_kubelet(host_checkout: Checkout) -> None:
    (server,) = [name for name in containers(host_checkout) if name.endswith("-monitoring")]
    assert run("podman", "exec", server, "systemctl", "list-units", "--failed", "--plain", "--no-legend") == ""
    kubelet = ["podman", "exec", server, "systemctl", "is-active", "kubelet", "kube-proxy", "coredns"]
    assert set(subprocess.run(kubelet, capture_output=True, text=True).stdout.split()) == {"inactive"}


def test_promtool_runs_the_rules_and_finds_no_fault_in_what_is_configured(
    host_checkout: Checkout, tmp_path: Path
) -> None:
    (server,) = [name for name in containers(host_checkout) if name.endswith("-monitoring")]
    by_tag = {"prometheus_ec2_region": "us-east-2", "prometheus_ec2_tag_value": "dc", "_prometheus_nodes": []}
    by_tag["prometheus_gpu_instance_types"] = "g6.xlarge,p5en.48xlarge"
    (tmp_path / "by_tag.yml").write_text(render("prometheus.yml.j2", inventory_hostname="server", **by_tag))
    run("podman", "cp", str(tmp_path / "by_tag.yml"), f"{server}:/root/by_tag.yml")
    for path in ("/etc/prometheus/prometheus.yml", "/root/by_tag.yml"):
        run("podman", "exec", server, "promtool", "check", "config", path)
    for test, bucket in RULES_TESTS.items():
        folder = tmp_path / test.stem
        folder.mkdir()
        (folder / "rules.yml").write_text(rules(prometheus_verdict_bucket=bucket))
        shutil.copy(test, folder)
        run("podman", "cp", str(folder), f"{server}:/root/{test.stem}")
        run("podman", "exec", f"--workdir=/root/{test.stem}", server, "promtool", "test", "rules", test.name)


def test_systemd_reads_a_secret_whole_whatever_it_is_made_of(host_checkout: Checkout, tmp_path: Path) -> None:
    (server,) = [name for name in containers(host_checkout) if name.endswith("-monitoring")]
    variables = {"prometheus_aws_environment": {"AWS_SECRET_ACCESS_KEY": SECRET}, "prometheus_ec2_region": "us-east-2"}
    (tmp_path / "secret.env").write_text(render("smoke-test-metrics.env.j2", **variables))
    run("podman", "cp", str(tmp_path / "secret.env"), f"{server}:/root/secret.env")
    unit = ["systemd-run", "--quiet", "--wait", "--pipe", "--property=EnvironmentFile=/root/secret.env"]
    told = run("podman", "exec", server, *unit, "printenv", "AWS_DEFAULT_REGION", "AWS_SECRET_ACCESS_KEY")
    assert told == f"us-east-2\n{SECRET}\n"


def test_what_configures_machines_finds_them_with_their_tags_and_enters_as_root(host_checkout: Checkout) -> None:
    found = machine(host_checkout, 0)
    assert found.running
    assert is_ours(found.address)
    assert found.tags["eks:nodegroup-name"] == found.nodegroup
    assert found.tags["environment"] == "local"
    known = host_checkout.folder / "known_hosts"
    known.write_text(f"{found.address} {found.host_key}\n")
    options = ["-i", str(found.ssh_key), "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
    answer = run("ssh", *options, "-o", "BatchMode=yes", f"root@{found.address}", "id -u; hostname")
    assert answer.split() == ["0", found.name]


def test_logs_of_pods_are_served_by_the_kubelets(host_checkout: Checkout) -> None:
    api = host_checkout.kubernetes()
    pods = api.get("/api/v1/namespaces/smoke-test/pods")["items"]
    for pod in pods:
        assert "loss" in api.text(f"/api/v1/namespaces/smoke-test/pods/{pod['metadata']['name']}/log")


def test_services_and_names_work_from_every_machine(host_checkout: Checkout) -> None:
    for number in (0, 1):
        resolver = machine(host_checkout, number).address
        script = (
            "import socket, ssl; "
            "context = ssl.create_default_context(cafile='/etc/ai-datacenter/ca.crt'); "
            "connection = socket.create_connection(('10.96.0.1', 443), 5); "
            "print(context.wrap_socket(connection, server_hostname='kubernetes.default.svc').version())"
        )
        assert inside(host_checkout, number, "python3", "-c", script).startswith("TLS")
        query = f"import socket; print(socket.create_connection(('{resolver}', 53), 5).getpeername())"
        assert resolver in inside(host_checkout, number, "python3", "-c", query)


def test_a_second_up_changes_nothing_and_boots_nothing(host_checkout: Checkout) -> None:
    before = containers(host_checkout)
    data, _ = host_checkout.aidc("up")
    assert {op: number for op, number in data["changes"].items() if number and op != "same"} == {}
    assert containers(host_checkout) == before


def test_the_servers_listen_on_no_address_of_the_outside(host_checkout: Checkout) -> None:
    (plane,) = control_plane.clusters(host_checkout.root)
    listening = run("ss", "-Hltn") if Path("/usr/bin/ss").exists() else ""
    places = [line.split()[3] for line in listening.splitlines() if line.split()[3].endswith(f":{plane.place.port}")]
    assert places in ([], [f"{plane.place.address}:{plane.place.port}"])
    assert is_ours(plane.place.address)


def test_a_third_node_is_exactly_one_new_machine(host_checkout: Checkout) -> None:
    before = containers(host_checkout)
    host_checkout.configure({"desired_size: 2": "desired_size: 3"})
    data, told = host_checkout.aidc("up")
    assert data["verdict"]["processes"] == 3, told
    after = containers(host_checkout)
    assert len(after) == 4
    assert before.items() <= after.items()
    assert wait_until(lambda: all_watched(host_checkout), 30, 0.5), watched(host_checkout)


def test_a_killed_machine_is_seen_and_warned_of_within_a_minute_and_mended_and_the_others_stay(
    host_checkout: Checkout,
) -> None:
    before = containers(host_checkout)
    victim = container(host_checkout, 1)
    run("podman", "kill", "--signal=KILL", victim)
    began = time.monotonic()
    data, _ = host_checkout.aidc("status", code=1)
    assert [node["name"] for node in data["nodes"] if not node["ready"]] == [machine(host_checkout, 1).name]
    name = machine(host_checkout, 1).name
    assert wait_until(lambda: down(host_checkout) == {name}, 60, 0.5)
    assert f"NodeDown (critical): {name} does not answer" in host_checkout.told("status", code=1)
    assert time.monotonic() - began < 60
    host_checkout.aidc("refresh", code=5)
    data, told = host_checkout.aidc("up")
    assert data["passed"], told
    assert wait_until(lambda: down(host_checkout) == set() and all_watched(host_checkout), 60, 0.5)
    after = containers(host_checkout)
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] == [victim]


def test_a_machine_whose_kubelet_is_gone_is_not_ready_within_a_minute(host_checkout: Checkout) -> None:
    inside(host_checkout, 2, "systemctl", "stop", "kubelet")
    name = machine(host_checkout, 2).name

    def is_seen() -> bool:
        data, _ = host_checkout.aidc("status", code=1) if not _all_ready(host_checkout) else ({"nodes": []}, "")
        return any(node["name"] == name and not node["ready"] for node in data["nodes"])

    assert wait_until(is_seen, 60, 2)
    inside(host_checkout, 2, "systemctl", "start", "kubelet")
    assert wait_until(lambda: _all_ready(host_checkout), 60, 1)


def test_an_up_that_is_killed_while_machines_start_leaves_no_orphan(host_checkout: Checkout) -> None:
    for name in containers(host_checkout):
        run("podman", "rm", "--force", "--volumes", "--time=0", name)
    for after_s in (3.5, 4.5):
        process = host_checkout.start("up")
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    data, told = host_checkout.aidc("up")
    assert data["passed"], told
    assert len(containers(host_checkout)) == 4
    assert wait_until(lambda: all_watched(host_checkout), 60, 0.5), watched(host_checkout)


def test_fewer_nodes_are_exactly_those_machines_less(host_checkout: Checkout) -> None:
    before = containers(host_checkout)
    host_checkout.configure({"desired_size: 3": "desired_size: 1"})
    data, told = host_checkout.aidc("up")
    assert data["verdict"]["processes"] == 1, told
    assert containers(host_checkout).items() <= before.items()
    assert len(containers(host_checkout)) == 2
    assert wait_until(lambda: all_watched(host_checkout), 30, 0.5), watched(host_checkout)
    assert len(host_checkout.kubernetes().get("/api/v1/nodes")["items"]) == 1


def test_a_second_region_has_machines_on_a_network_of_its_own(host_checkout: Checkout) -> None:
    west = host_checkout.folder / "Pulumi.west.yaml"
    text = host_checkout.stack_file.read_text()
    west.write_text(text.replace("us-east-1", "us-west-2").replace("name: aidc-local", "name: aidc-west"))
    before = containers(host_checkout)
    data, told = host_checkout.aidc("up", "--stack", "west")
    assert data["passed"], told
    planes = control_plane.clusters(host_checkout.root)
    subnets = [plane.network.subnet for plane in planes if plane.network]
    assert len(subnets) == 2
    assert not subnets[0].overlaps(subnets[1])
    assert before.items() <= containers(host_checkout).items()
    assert len({found.address for found in list_machines(host_checkout.root)}) == 4
    host_checkout.aidc("destroy", "--stack", "west")
    assert containers(host_checkout) == before


def test_down_leaves_no_machine_network_mount_interface_rule_process_or_file(host_checkout: Checkout) -> None:
    (plane,) = control_plane.clusters(host_checkout.root)
    network = plane.network
    assert network is not None
    names = {networks.name_of(plane.folder), *containers(host_checkout)}
    host_checkout.down()
    assert not host_checkout.root.path.exists()
    assert containers(host_checkout) == {}
    assert not names & {one["name"] for one in json.loads(run("podman", "network", "ls", "--format=json"))}
    assert str(host_checkout.folder) not in Path("/proc/mounts").read_text()
    for listing in (run("ip", "-4", "address"), run("ip", "route"), run("iptables-save")):
        assert str(network.subnet) not in listing
        assert plane.place.address not in listing
    assert str(host_checkout.folder) not in run("ps", "-eo", "args")


def _all_ready(checkout: Checkout) -> bool:
    nodes = checkout.kubernetes().get("/api/v1/nodes")["items"]
    conditions = [one for node in nodes for one in node["status"]["conditions"] if one["type"] == "Ready"]
    return all(one["status"] == "True" for one in conditions)
