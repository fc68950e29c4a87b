"""Karpenter may start, change and end machines of this cluster and no others, and makes them as node groups do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.config import load
from components.device_plugins import needed
from components.gpu_exporter import gpu_types
from components.karpenter import Karpenter, KarpenterArgs
from components.karpenter_access import ControllerRights, controller_policy
from components.karpenter_pools import AWS, CORE, KarpenterPools, KarpenterPoolsArgs
from components.releases import AMI_RELEASES
from components.settings import UNVERIFIED, KarpenterConfig

from .mocks import ACCOUNT, Cloud, run
from .stack_files import GOOD, problems

SECTION: dict[str, Any] = {
    "installed": "1.14",
    "pools": {
        "web": {
            "families": ["m7i", "c7i"], "max_cpus": 16, "capacities": ["spot", "on_demand"], "limits": {"cpus": 256},
            "labels": {"team": "serve"}, "max_pods": 20, "verified": True, "weight": 10, "expire_hours": None,
            "disruption": {
                "budgets": [
                    {"nodes": "20%"},
                    {"nodes": "0", "reasons": ["underutilized", "drifted"], "schedule": "0 8 * * MON-FRI",
                     "duration_minutes": 600},
                ]
            },
        },
        "llm": {
            "instance_types": ["g6e.xlarge", "g6e.2xlarge"], "limits": {"cpus": 64, "memory_gib": 512, "chips": 8},
            "taints": [{"key": "team", "effect": "NoExecute"}], "drain_minutes": 30, "ami_release": "1.34.1-20251001",
            "disruption": {"consolidation": "when_empty", "consolidate_after_s": 600},
        },
    },
}  # fmt: skip
CONFIG = KarpenterConfig.model_validate(SECTION)
RIGHTS = ControllerRights(
    region="us-east-1", account_id=ACCOUNT, cluster_name="dc", subnet_ids=["subnet-1", "subnet-2"],
    security_group_id="sg-1", node_role_arn="arn:node-role", instance_profile_arn="arn:profile", key_arn="arn:key",
    queue_arn="arn:queue", spot=True,
)  # fmt: skip


TIMEOUTS: dict[str, Any] = {}


def remember(args: pulumi.ResourceTransformationArgs) -> None:
    """How long a run waits for a child to be gone, which mocks are not told."""
    if timeouts := args.opts.custom_timeouts:
        TIMEOUTS[args.name] = timeouts.delete


def declared() -> Cloud:
    """Both components; ids as AWS gives them, for Karpenter's definitions know their spelling."""

    def declare() -> None:
        subnets = [pulumi.Output.from_input(f"subnet-0a{index}") for index in range(3)]
        Karpenter("karpenter", KarpenterArgs(
            name="dc", region="us-east-1", account_id=ACCOUNT, config=CONFIG, cluster_name="dc", subnet_ids=subnets,
            security_group_id="sg-0a1", key_arn="arn:key",
        ))  # fmt: skip
        KarpenterPools("karpenter-pools", KarpenterPoolsArgs(
            name="dc", config=CONFIG, kubernetes_version="1.34", instance_profile_name="dc-nodes", subnet_ids=subnets,
            security_group_id="sg-0a1", key_arn="arn:key", tags={"team": "t"},
        ), pulumi.ResourceOptions(transformations=[remember]))  # fmt: skip

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return declared()


def spec(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    token = f"kubernetes:{CORE if kind == 'NodePool' else AWS}:{kind}"
    (found,) = [one for one in cloud.of(token).values() if one["metadata"]["name"] == name]
    return found["spec"]


def values_of(pool: dict[str, Any], key: str) -> list[str]:
    (found,) = [one for one in pool["template"]["spec"]["requirements"] if one["key"] == key]
    assert found["operator"] == "In"
    return found["values"]


def statement(sid: str) -> dict[str, Any]:
    (found,) = [one for one in controller_policy(RIGHTS)["Statement"] if one["Sid"] == sid]
    return found


def test_what_is_not_of_this_cluster_can_be_neither_changed_nor_ended() -> None:
    ours = {"aws:ResourceTag/kubernetes.io/cluster/dc": "owned"}
    for sid in ("End", "NameMachines", "StartByTemplate"):
        condition = statement(sid)["Condition"]
        assert condition["StringEquals"] == ours
        assert condition["StringLike"] == {"aws:ResourceTag/karpenter.sh/nodepool": "*"}
    for sid in ("Start", "TagWhatStarts"):
        condition = statement(sid)["Condition"]
        assert condition["StringEquals"]["aws:RequestTag/kubernetes.io/cluster/dc"] == "owned"
        assert condition["StringLike"] == {"aws:RequestTag/karpenter.sh/nodepool": "*"}


def test_tags_that_make_a_machine_karpenter_s_are_given_at_its_start_only() -> None:
    """Else it could tag any machine of the account as its own, and end it."""
    tagging = [one for one in controller_policy(RIGHTS)["Statement"] if "ec2:CreateTags" in one["Action"]]
    assert {one["Sid"] for one in tagging} == {"TagWhatStarts", "NameMachines"}
    created = statement("TagWhatStarts")["Condition"]["StringEquals"]["ec2:CreateAction"]
    assert set(created) == {"RunInstances", "CreateFleet", "CreateLaunchTemplate"}
    later = statement("NameMachines")["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]
    assert not [key for key in later if key.startswith(("kubernetes.io/cluster", "karpenter.sh/nodepool"))]


def test_machines_start_in_the_stack_s_own_subnets_and_group_with_its_one_role() -> None:
    account = [arn for arn in statement("StartFrom")["Resource"] if f":{ACCOUNT}:" in arn]
    assert account == [
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:{thing}"
        for thing in ("subnet/subnet-1", "subnet/subnet-2", "security-group/sg-1")
    ]
    assert statement("GiveTheNodesRole")["Resource"] == ["arn:node-role"]
    assert not [
        action
        for one in controller_policy(RIGHTS)["Statement"]
        for action in one["Action"]
        if action.startswith("iam:") and "InstanceProfile" in action and action.startswith(("iam:Create", "iam:Add"))
    ]


def test_the_key_of_disks_is_used_through_ec2_only() -> None:
    for sid in ("Disks", "DiskGrants"):
        assert statement(sid)["Condition"]["StringEquals"] == {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}
    assert statement("DiskGrants")["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_rights_fit_into_a_role_even_with_the_longest_names() -> None:
    """IAM guide, "IAM and AWS STS quotas": 10,240 characters of inline policies a role, white space apart."""
    longest = ControllerRights(
        region="ap-southeast-1", account_id=ACCOUNT, cluster_name="n" * 20, subnet_ids=["subnet-0123456789abcdef0"] * 3,
        security_group_id="sg-0123456789abcdef0", node_role_arn="r" * 100, instance_profile_arn="p" * 120,
        key_arn="k" * 80, queue_arn="q" * 130, spot=True,
    )  # fmt: skip
    assert len("".join(json.dumps(controller_policy(longest)).split())) < 10_240


def test_only_the_stack_s_rules_write_into_the_queue_and_nobody_without_tls(cloud: Cloud) -> None:
    (queue,) = cloud.of("aws:sqs/queue:Queue").values()
    assert queue["sqsManagedSseEnabled"] is True
    (policy,) = cloud.of("aws:sqs/queuePolicy:QueuePolicy").values()
    write, refuse = json.loads(policy["policy"])["Statement"]
    assert write["Principal"] == {"Service": "events.amazonaws.com"}
    rules = cloud.of("aws:cloudwatch/eventRule:EventRule")
    assert len(write["Condition"]["ArnEquals"]["aws:SourceArn"]) == len(rules) == 4
    assert (refuse["Effect"], refuse["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_it_hears_of_all_that_takes_a_machine_away(cloud: Cloud) -> None:
    rules = cloud.of("aws:cloudwatch/eventRule:EventRule")
    heard = {kind for rule in rules.values() for kind in json.loads(rule["eventPattern"])["detail-type"]}
    assert heard == {
        "EC2 Spot Instance Interruption Warning", "EC2 Instance Rebalance Recommendation",
        "EC2 Instance State-change Notification", "AWS Health Event",
    }  # fmt: skip
    targets = cloud.of("aws:cloudwatch/eventTarget:EventTarget").values()
    assert {target["rule"] for target in targets} == {rule["name"] for rule in rules.values()}
    assert {target["arn"] for target in targets} == {f"arn:aws:mock:us-east-1:{ACCOUNT}:karpenter-queue"}


def test_its_nodes_may_join_and_only_its_controller_has_the_rights(cloud: Cloud) -> None:
    (entry,) = cloud.of("aws:eks/accessEntry:AccessEntry").values()
    assert (entry["type"], entry["principalArn"].rpartition(":")[2]) == ("EC2_LINUX", "karpenter-nodes-role")
    (profile,) = cloud.of("aws:iam/instanceProfile:InstanceProfile").values()
    assert profile["role"] == "dc-us-east-1-karpenter-nodes"
    (identity,) = cloud.of("aws:eks/podIdentityAssociation:PodIdentityAssociation").values()
    assert (identity["namespace"], identity["serviceAccount"]) == ("kube-system", "karpenter")
    assert identity["roleArn"].endswith("karpenter-controller-role")


def test_a_machine_is_made_as_a_node_group_s_is(cloud: Cloud) -> None:
    made = spec(cloud, "EC2NodeClass", "web")
    options = made["metadataOptions"]
    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)
    (disk,) = made["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["kmsKeyID"], disk["ebs"]["volumeType"]) == (True, "arn:key", "gp3")
    assert made["instanceProfile"] == "dc-nodes"
    assert made["subnetSelectorTerms"] == [{"id": f"subnet-0a{index}"} for index in range(3)]
    assert made["securityGroupSelectorTerms"] == [{"id": "sg-0a1"}]
    assert made["tags"] == {"team": "t", "ai-datacenter:nodes": "dc", "Name": "dc-web"}
    assert made["kubelet"] == {"maxPods": 20}
    assert "instanceStorePolicy" not in made
    assert spec(cloud, "EC2NodeClass", "llm")["instanceStorePolicy"] == "RAID0"


def test_the_image_is_pinned_to_the_release_of_node_groups_or_to_the_pool_s(cloud: Cloud) -> None:
    pinned = AMI_RELEASES["1.34"].rpartition("-")[2]
    assert spec(cloud, "EC2NodeClass", "web")["amiSelectorTerms"] == [{"alias": f"al2023@v{pinned}"}]
    assert spec(cloud, "EC2NodeClass", "llm")["amiSelectorTerms"] == [{"alias": "al2023@v20251001"}]


def test_nodes_are_of_the_catalogue_s_types_and_no_larger_than_asked_for(cloud: Cloud) -> None:
    pool = spec(cloud, "NodePool", "web")
    types = values_of(pool, "node.kubernetes.io/instance-type")
    assert types == [
        f"{family}.{size}" for family in ("m7i", "c7i") for size in ("large", "xlarge", "2xlarge", "4xlarge")
    ]
    assert values_of(pool, "karpenter.sh/capacity-type") == ["spot", "on-demand"]
    assert values_of(pool, "kubernetes.io/arch") == ["amd64"]
    assert pool["limits"] == {"cpu": "256"}
    assert spec(cloud, "NodePool", "llm")["limits"] == {"cpu": "64", "memory": "512Gi", "nvidia.com/gpu": "8"}


def test_nodes_bear_their_pool_s_label_and_accelerators_their_taint(cloud: Cloud) -> None:
    web, llm = (spec(cloud, "NodePool", name)["template"] for name in ("web", "llm"))
    assert web["metadata"]["labels"] == {"team": "serve", "ai-datacenter/pool": "web"}
    assert "taints" not in web["spec"]
    assert llm["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "present"}, {"key": "team", "effect": "NoExecute"},
    ]  # fmt: skip
    assert llm["spec"]["nodeClassRef"] == {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "llm"}


def test_a_node_that_is_to_be_checked_has_a_startup_taint_and_a_label_that_karpenter_does_not_reckon_with(
    cloud: Cloud,
) -> None:
    web, llm = spec(cloud, "NodePool", "web")["template"], spec(cloud, "NodePool", "llm")["template"]
    assert web["spec"]["startupTaints"] == [{"key": UNVERIFIED, "effect": "NoSchedule"}]
    assert UNVERIFIED not in {taint["key"] for taint in web["spec"].get("taints", ())}
    assert UNVERIFIED not in web["metadata"]["labels"]
    user_data = spec(cloud, "EC2NodeClass", "web")["userData"]
    node_config = json.loads(next(line for line in user_data.splitlines() if line.startswith("{")))
    assert node_config["spec"] == {"kubelet": {"flags": [f"--node-labels={UNVERIFIED}=true"]}}
    assert "startupTaints" not in llm["spec"]
    assert "userData" not in spec(cloud, "EC2NodeClass", "llm")


def test_nodes_go_when_and_as_many_at_once_as_the_pool_says(cloud: Cloud) -> None:
    web, llm = spec(cloud, "NodePool", "web"), spec(cloud, "NodePool", "llm")
    assert web["disruption"] == {
        "consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "300s",
        "budgets": [
            {"nodes": "20%"},
            {"nodes": "0", "reasons": ["Underutilized", "Drifted"], "schedule": "0 8 * * MON-FRI", "duration": "600m"},
        ],
    }  # fmt: skip
    assert llm["disruption"] == {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "600s"}
    assert (web["template"]["spec"]["expireAfter"], llm["template"]["spec"]["expireAfter"]) == ("Never", "720h")
    assert llm["template"]["spec"]["terminationGracePeriod"] == "30m"
    assert "terminationGracePeriod" not in web["template"]["spec"]


def test_a_run_waits_for_a_pool_to_be_gone_longer_than_its_pods_may_hold_a_node(cloud: Cloud) -> None:
    assert CONFIG.pools["llm"].drain_minutes == 30
    assert TIMEOUTS == {
        "karpenter-pools-class-llm": "50m", "karpenter-pools-pool-llm": "50m",
        "karpenter-pools-class-web": "60m", "karpenter-pools-pool-web": "60m",
    }  # fmt: skip


def test_what_drives_and_watches_gpus_runs_on_its_nodes_too() -> None:
    (plugin,) = needed({}, CONFIG)
    assert (plugin.name, plugin.pools) == ("nvidia-device-plugin", ["llm"])
    assert gpu_types({}, CONFIG) == ("g6e.2xlarge", "g6e.xlarge")


def told(tmp_path: Path, pool: str, stack: str = GOOD, name: str = "web") -> list[str]:
    section = f"  ai-datacenter:karpenter: {{ pools: {{ {name}: {pool} }} }}\n"
    return [f"{one.key.partition(':')[2]}: {one.message}" for one in problems(tmp_path, stack + section)]


LIMITS = "limits: { cpus: 64 }"
CPU = f"{{ families: [m7i], {LIMITS} }}"


@pytest.mark.parametrize(
    ("pool", "where", "what"),
    [
        (f"{{ {LIMITS} }}", "", "says nothing that a node could be"),
        (f"{{ instance_types: [p5.48xlarge], {LIMITS} }}", ".instance_types.0", "declare it in the section pools"),
        (f"{{ instance_types: [m7i.large, trn2.48xlarge], {LIMITS} }}", ".instance_types.1", "near each other"),
        (f"{{ families: [p4d], {LIMITS} }}", ".families.0", "p4d is for training"),
        (f"{{ instance_types: [m7i.large, g6.xlarge], {LIMITS} }}", "", "make a pool of each"),
        (f"{{ families: [g6], max_cpus: 2, {LIMITS} }}", ".max_cpus", "2 virtual CPUs or fewer"),
        (f"{{ instance_types: [m7i.large], max_cpus: 2, {LIMITS} }}", ".max_cpus", "leave it out"),
        ("{ families: [m7i] }", ".limits", "is missing"),
        ("{ families: [m7i], limits: { cpus: 1 } }", ".limits.cpus", "no room for a single node"),
        ("{ families: [m7i], limits: { cpus: 8, memory_gib: 4 } }", ".limits.memory_gib", "has 8"),
        ("{ families: [m7i], limits: { cpus: 8, chips: 1 } }", ".limits.chips", "has no chips"),
        (
            "{ instance_types: [g6.12xlarge], limits: { cpus: 96, chips: 2 } }",
            ".limits.chips",
            "smallest of the pool's types has 4",
        ),
        (f"{{ families: [m7i], max_pods: 100, {LIMITS} }}", ".max_pods", "29 get an address on m7i.large"),
        (f"{{ families: [m7i], labels: {{ karpenter.sh/x: z }}, {LIMITS} }}", ".labels.karpenter.sh/x", "refuses it"),
        (
            f"{{ families: [m7i], labels: {{ ai-datacenter/unverified: z }}, {LIMITS} }}",
            ".labels.ai-datacenter/unverified",
            "say verified: true",
        ),
        (
            f"{{ families: [m7i], taints: [{{ key: a }}, {{ key: ai-datacenter/unverified }}], {LIMITS} }}",
            ".taints.1.key",
            "say verified: true",
        ),
        (
            f"{{ families: [m7i], labels: {{ mykarpenter.sh/a: z }}, {LIMITS} }}",
            ".labels.mykarpenter.sh/a",
            "refuses it",
        ),
        (f"{{ families: [m7i], capacities: [capacity_block], {LIMITS} }}", ".capacities.0", "capacity_block"),
        (f"{{ families: [g6], verified: true, {LIMITS} }}", ".verified", "Karpenter counts them as taken"),
        (f"{{ families: [m7i], expire_hours: 0, {LIMITS} }}", ".expire_hours", ""),
        (
            f'{{ families: [m7i], disruption: {{ budgets: [{{ nodes: "1", schedule: "@daily" }}] }}, {LIMITS} }}',
            ".disruption.budgets.0",
            "go together",
        ),
        (f'{{ families: [m7i], disruption: {{ budgets: [{{ nodes: "101%" }}] }}, {LIMITS} }}', ".disruption", ""),
    ],
)
def test_what_no_pool_can_be_is_told_with_its_place(tmp_path: Path, pool: str, where: str, what: str) -> None:
    (problem,) = told(tmp_path, pool)
    assert problem.startswith(f"karpenter.pools.web{where}")
    assert what in problem


def test_no_two_pools_have_one_name(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, CPU, name="cpu")
    assert problem.startswith("karpenter.pools.cpu: pools has a cpu already")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m7i.large", "g6.xlarge"),
        ("desired_size: 2", "desired_size: 2\n      taints: [{ key: a }]"),
        ("desired_size: 2", "desired_size: 1"),
    ],
)
def test_karpenter_needs_nodes_that_it_does_not_make_itself(tmp_path: Path, old: str, new: str) -> None:
    (problem,) = told(tmp_path, CPU, GOOD.replace(old, new))
    assert problem.startswith("karpenter: Karpenter does not run on nodes that it makes")


def test_its_two_nodes_may_be_of_two_pools(tmp_path: Path) -> None:
    second = "    more: { instance_type: m7i.large, desired_size: 1 }\n"
    file = tmp_path / "Pulumi.test.yaml"
    pools = GOOD.replace("desired_size: 2\n", f"desired_size: 1\n{second}")
    file.write_text(f"{pools}  ai-datacenter:karpenter: {json.dumps(SECTION)}\n")
    assert load(file).karpenter


def test_without_a_way_out_it_needs_endpoints_of_its_own(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, CPU, GOOD.replace("10.0.0.0/16", "10.0.0.0/16\n    nat: none"))
    assert problem == "network.nat: without a NAT gateway Karpenter also needs private endpoints of sqs, ssm"


def test_tags_by_which_it_knows_its_machines_are_its_own(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, CPU, GOOD + '  ai-datacenter:tags: { "karpenter.sh/nodepool": a }\n')
    assert problem.startswith("tags.karpenter.sh/nodepool: Karpenter knows its machines")


def test_what_the_region_does_not_sell_is_told(tmp_path: Path) -> None:
    there = GOOD.replace("us-east-1", "af-south-1")
    pool = f"{{ instance_types: [g6e.xlarge], families: [g5], {LIMITS} }}"
    type_, family = told(tmp_path, pool, there)
    assert type_.startswith("karpenter.pools.web.instance_types.0: g6e.xlarge is not sold in af-south-1")
    assert family.startswith("karpenter.pools.web.families.0: no g5 is sold in af-south-1")


def test_the_page_installs_the_release_that_the_stack_file_knows() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/karpenter.md").read_text()
    assert f"--version {SECTION['installed']}." in page
    assert f'`installed: "{SECTION["installed"]}"`' in page


def test_a_good_section_passes(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(f"{GOOD}  ai-datacenter:karpenter: {json.dumps(SECTION)}\n")
    assert load(file).karpenter == CONFIG
