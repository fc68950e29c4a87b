"""What pods may ask for."""

from __future__ import annotations

from typing import Any

import pulumi

from components.settings import EbsClassConfig, LustreConfig
from components.storage_classes import LustreVolume, StorageClasses, StorageClassesArgs

from .mocks import Cloud, run


def classes(ebs: dict[str, dict[str, Any]]) -> Cloud:
    def declare() -> None:
        config = LustreConfig(capacity_gib=1200, throughput_mb_s_per_tib=125, zone="us-east-1a")
        ids = [pulumi.Output.from_input(one) for one in ("fs-1", "fs-1.fsx.us-east-1.amazonaws.com", "abcdefgh")]
        volume = LustreVolume(config=config, file_system_id=ids[0], dns_name=ids[1], mount_name=ids[2])
        args = StorageClassesArgs(
            ebs={name: EbsClassConfig(**one) for name, one in ebs.items()},
            efs={"homes": pulumi.Output.from_input("fs-2")}, lustre={"fast": volume}, key_arn="arn:key",
        )  # fmt: skip
        StorageClasses("storage-classes", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def of(cloud: Cloud) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in cloud.of("kubernetes:storage.k8s.io/v1:StorageClass").values()}


def test_disks_are_encrypted_with_the_data_centre_s_key_and_made_where_the_pod_is() -> None:
    found = of(classes({"fast": {"iops": 6000, "throughput_mib_s": 500}}))["ebs-fast"]
    assert found["parameters"] == {
        "type": "gp3",
        "encrypted": "true",
        "kmsKeyId": "arn:key",
        "iops": "6000",
        "throughput": "500",
        "csi.storage.k8s.io/fstype": "ext4",
    }
    assert (found["volumeBindingMode"], found["reclaimPolicy"]) == ("WaitForFirstConsumer", "Delete")


def test_only_the_class_that_is_the_default_says_so() -> None:
    found = of(classes({"one": {"default": True}, "two": {"retain": True}}))
    annotation = "storageclass.kubernetes.io/is-default-class"
    default = [name for name, one in found.items() if (one["metadata"].get("annotations") or {}).get(annotation)]
    assert default == ["ebs-one"]
    assert found["ebs-two"]["reclaimPolicy"] == "Retain"


def test_a_claim_on_efs_gets_a_folder_of_its_own_on_the_declared_file_system() -> None:
    found = of(classes({}))["efs-homes"]
    assert found["provisioner"] == "efs.csi.aws.com"
    assert (found["parameters"]["provisioningMode"], found["parameters"]["fileSystemId"]) == ("efs-ap", "fs-2")


def test_a_claim_on_lustre_gets_the_declared_file_system_and_makes_none() -> None:
    cloud = classes({})
    assert of(cloud)["lustre-fast"]["provisioner"] == "kubernetes.io/no-provisioner"
    (volume,) = cloud.of("kubernetes:core/v1:PersistentVolume").values()
    spec = volume["spec"]
    assert (spec["storageClassName"], spec["accessModes"], spec["capacity"]) == (
        "lustre-fast",
        ["ReadWriteMany"],
        {"storage": "1200Gi"},
    )
    assert spec["csi"] == {
        "driver": "fsx.csi.aws.com",
        "volumeHandle": "fs-1",
        "volumeAttributes": {"dnsname": "fs-1.fsx.us-east-1.amazonaws.com", "mountname": "abcdefgh"},
    }
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
