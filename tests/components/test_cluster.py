"""The cluster and what surrounds it, as the shipped stack files declare them."""

from __future__ import annotations

import json

from components.cluster import LOG_TYPES, kubeconfig

from .test_datacenter import program


def test_the_api_endpoint_is_private_and_secrets_are_encrypted() -> None:
    (cluster,) = program("prod")[0].of("aws:eks/cluster:Cluster").values()
    assert (cluster["vpcConfig"]["endpointPrivateAccess"], cluster["vpcConfig"]["endpointPublicAccess"]) == (
        True,
        False,
    )
    assert cluster["encryptionConfig"]["resources"] == ["secrets"]
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    assert set(cluster["enabledClusterLogTypes"]) == set(LOG_TYPES)


def test_control_plane_logs_are_kept_for_a_set_time_under_the_key() -> None:
    logs = program("prod")[0].of("aws:cloudwatch/logGroup:LogGroup")["cluster-logs"]
    assert logs["retentionInDays"] == 365
    assert logs["kmsKeyId"]


def test_the_kubeconfig_holds_no_token_and_is_always_the_same() -> None:
    made = kubeconfig("dc", "https://127.0.0.1:1", "Q0E=", "us-east-1")
    assert made == kubeconfig("dc", "https://127.0.0.1:1", "Q0E=", "us-east-1")
    (user,) = json.loads(made)["users"]
    assert set(user["user"]) == {"exec"}
    assert "get-token" in user["user"]["exec"]["args"]


def test_every_add_on_is_pinned() -> None:
    addons = program("prod")[0].of("aws:eks/addon:Addon").values()
    assert {addon["addonName"] for addon in addons} >= {"vpc-cni", "coredns", "eks-pod-identity-agent"}
    assert all("-eksbuild." in addon["addonVersion"] for addon in addons)


def test_buckets_are_versioned_encrypted_private_and_tls_only() -> None:
    cloud = program("prod")[0]
    for block in cloud.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").values():
        assert all(value is True for key, value in block.items() if key != "bucket")
    for policy in cloud.of("aws:s3/bucketPolicy:BucketPolicy").values():
        assert json.loads(policy["policy"])["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    for kind in ("Versioning", "ServerSideEncryptionConfiguration", "OwnershipControls", "LifecycleConfiguration"):
        names = cloud.of(f"aws:s3/bucket{kind}:Bucket{kind}")
        assert len([name for name in names if name.startswith("storage-")]) == 2
    assert not any(bucket["forceDestroy"] for bucket in cloud.of("aws:s3/bucket:Bucket").values())


def test_the_default_security_group_lets_nothing_through() -> None:
    (group,) = program("local")[0].of("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").values()
    assert (group["ingress"], group["egress"]) == ([], [])


def test_image_tags_never_move() -> None:
    (repository,) = program("local")[0].of("aws:ecr/repository:Repository").values()
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
