"""The whole program, as a guard of an account would read it: rights, machines, buckets, keys, pods.

Whatever a component adds passes here without a test of its own. What cannot be narrowed is named, with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from .test_datacenter import program

STACKS = ("local", "prod")
# Actions that may stand beside a resource of "*", by the reason why.
EVERYWHERE = {
    "EC2 and load balancing narrow no Describe (service authorization reference)": (
        "ec2:Describe*", "elasticloadbalancing:Describe*",
    ),
    "the agent of Systems Manager speaks as its own machine, and its channels are no resources": (
        "ssm:DescribeAssociation", "ssm:DescribeDocument", "ssm:GetDocument", "ssm:ListAssociations",
        "ssm:ListInstanceAssociations", "ssm:PutComplianceItems", "ssm:PutInventory", "ssm:UpdateAssociationStatus",
        "ssm:UpdateInstanceAssociationStatus", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
        "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage",
        "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply",
    ),
    "AWS Backup finds what it backs up among all that the account has": (
        "cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources",
    ),
    "prices are nobody's, and instance profiles are listed for the whole account": (
        "pricing:GetProducts", "iam:ListInstanceProfiles",
    ),
}  # fmt: skip
MANAGED = {
    "AmazonEKSClusterPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy",
}  # fmt: skip
NARROWING = ("aws:SourceAccount", "aws:SourceArn", "aws:PrincipalArn", "aws:PrincipalAccount", "kms:CallerAccount")
RESOURCE_POLICIES = {
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:efs/fileSystemPolicy:FileSystemPolicy": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
}


def each(stack: str, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for type_ in types:
        yield from program(stack)[0].of(type_).items()


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def statements(document: str) -> list[dict[str, Any]]:
    return [one for one in json.loads(document)["Statement"] if one["Effect"] == "Allow"]


def rights(stack: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something to a role, with the policy's name."""
    for name, policy in each(stack, "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"):
        for statement in statements(policy["policy"]):
            yield name, statement


@pytest.mark.parametrize("stack", STACKS)
def test_no_right_is_to_everything_a_service_can_do(stack: str) -> None:
    found = [(name, action) for name, one in rights(stack) for action in listed(one["Action"])]
    assert found
    assert [one for one in found if "*" in one[1]] == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_right_on_every_resource_is_one_that_nobody_can_narrow(stack: str) -> None:
    excepted = [pattern for patterns in EVERYWHERE.values() for pattern in patterns]
    found = [
        (name, action)
        for name, one in rights(stack)
        if "*" in listed(one["Resource"]) and not one.get("Condition")
        for action in listed(one["Action"])
    ]
    assert [one for one in found if not any(fnmatchcase(one[1], pattern) for pattern in excepted)] == []


def test_every_exception_is_still_needed() -> None:
    used = {
        action for name, one in rights("prod") if "*" in listed(one["Resource"]) for action in listed(one["Action"])
    }
    for patterns in EVERYWHERE.values():
        assert [pattern for pattern in patterns if not any(fnmatchcase(one, pattern) for one in used)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_of_awss_own_policies_roles_have_those_that_eks_asks_for(stack: str) -> None:
    attached = each(stack, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert {policy["policyArn"].rpartition("/")[2] for _, policy in attached} <= MANAGED


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_that_anybody_may_use_is_without_a_condition_that_says_who(stack: str) -> None:
    open_to = []
    for type_, member in RESOURCE_POLICIES.items():
        for name, resource in each(stack, type_):
            for one in statements(resource.get(member) or '{"Statement": []}'):
                narrowed = any(key in NARROWING for keys in one.get("Condition", {}).values() for key in keys)
                if one["Principal"] in ("*", {"AWS": "*"}) and not narrowed:
                    open_to.append((type_, name, one))
    assert [one for one in open_to if not _excepted(*one)] == []


def _excepted(type_: str, name: str, statement: dict[str, Any]) -> bool:
    """What is asked for without credentials: S3's endpoint gives AWS's own packages and layers of images to read."""
    reads = listed(statement["Action"]) == ["s3:GetObject"]
    efs = type_.startswith("aws:efs") and "elasticfilesystem:AccessedViaMountTarget" in json.dumps(statement)
    return efs or (type_ == "aws:ec2/vpcEndpoint:VpcEndpoint" and reads and "*" not in listed(statement["Resource"]))


@pytest.mark.parametrize("stack", STACKS)
def test_a_machine_gives_its_role_only_to_whom_holds_a_session_s_token_one_hop_away(stack: str) -> None:
    found = list(each(stack, "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance"))
    assert found
    for name, machine in found:
        options = machine["metadataOptions"]
        assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1), name
        assert not machine.get("associatePublicIpAddress"), name


@pytest.mark.parametrize("stack", STACKS)
def test_every_disk_is_encrypted(stack: str) -> None:
    for name, template in each(stack, "aws:ec2/launchTemplate:LaunchTemplate"):
        assert all(disk["ebs"]["encrypted"] == "true" for disk in template["blockDeviceMappings"]), name
    for name, machine in each(stack, "aws:ec2/instance:Instance"):
        assert machine["rootBlockDevice"]["encrypted"], name


@pytest.mark.parametrize("stack", STACKS)
def test_no_bucket_is_public_or_unencrypted_or_reached_without_tls_or_takes_acls(stack: str) -> None:
    names = {bucket["bucket"] for _, bucket in each(stack, "aws:s3/bucket:Bucket")}
    assert names
    blocks = list(each(stack, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"))
    assert {block["bucket"] for _, block in blocks} == names
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(block[switch] for _, block in blocks for switch in switches)
    encrypted = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    assert {one["bucket"] for _, one in each(stack, encrypted)} == names
    owned = list(each(stack, "aws:s3/bucketOwnershipControls:BucketOwnershipControls"))
    assert {one["bucket"] for _, one in owned if one["rule"]["objectOwnership"] == "BucketOwnerEnforced"} == names
    policies = {one["bucket"]: json.loads(one["policy"]) for _, one in each(stack, "aws:s3/bucketPolicy:BucketPolicy")}
    for name in names:
        assert "TlsOnly" in [statement.get("Sid") for statement in policies[name]["Statement"]], name


@pytest.mark.parametrize("stack", STACKS)
def test_every_queue_is_encrypted_and_reached_by_tls_only(stack: str) -> None:
    queues = {queue["name"]: queue for _, queue in each(stack, "aws:sqs/queue:Queue")}
    assert all(queue.get("sqsManagedSseEnabled") or queue.get("kmsMasterKeyId") for queue in queues.values())
    policies = [json.loads(one["policy"]) for _, one in each(stack, "aws:sqs/queuePolicy:QueuePolicy")]
    assert len(policies) == len(queues)
    for policy in policies:
        assert "TlsOnly" in [statement.get("Sid") for statement in policy["Statement"]]


@pytest.mark.parametrize("stack", STACKS)
def test_keys_rotate_and_logs_end(stack: str) -> None:
    assert all(key["enableKeyRotation"] for _, key in each(stack, "aws:kms/key:Key"))
    logs = list(each(stack, "aws:cloudwatch/logGroup:LogGroup"))
    assert [name for name, group in logs if not group.get("retentionInDays")] == []
    # The recovery region's key is made with what is recovered; until then CloudWatch's own encrypts its flow logs.
    assert {name for name, group in logs if not group.get("kmsKeyId")} <= {"recovery-network-flow-logs"}


@pytest.mark.parametrize("stack", STACKS)
def test_no_group_lets_in_everybody(stack: str) -> None:
    rules = each(stack, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert [name for name, rule in rules if (rule.get("cidrIpv4") or rule.get("cidrIpv6") or "").endswith("/0")] == []


def test_every_role_is_within_the_boundary_that_the_stack_file_names() -> None:
    roles = list(each("prod", "aws:iam/role:Role"))
    assert {role.get("permissionsBoundary") for _, role in roles} == {
        "arn:aws:iam::111122223333:policy/datacenter-boundary"
    }
    assert not any("permissionsBoundary" in role for _, role in each("local", "aws:iam/role:Role"))


@pytest.mark.parametrize("stack", STACKS)
def test_every_namespace_holds_its_pods_to_a_standard_and_lets_them_talk_to_nobody_unless_allowed(stack: str) -> None:
    spaces = {
        one["metadata"]["name"]: one["metadata"]["labels"] for _, one in each(stack, "kubernetes:core/v1:Namespace")
    }
    assert all("pod-security.kubernetes.io/enforce" in labels for labels in spaces.values())
    policies = [one for _, one in each(stack, "kubernetes:networking.k8s.io/v1:NetworkPolicy")]
    closed = {
        one["metadata"]["namespace"]
        for one in policies
        if one["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    }
    assert closed == set(spaces)


@pytest.mark.parametrize("stack", STACKS)
def test_pods_have_no_kubernetes_credentials_that_they_do_not_use(stack: str) -> None:
    accounts = list(each(stack, "kubernetes:core/v1:ServiceAccount"))
    assert [name for name, one in accounts if one.get("automountServiceAccountToken") is not False] == []
