"""What pods may ask for: a storage class for each kind of disk and file system, and volumes of the Lustre ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from .naming import component_type
from .settings import EbsClassConfig, LustreConfig

_DEFAULT = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, kw_only=True)
class LustreVolume:
    """A Lustre file system as pods mount it.

    Attributes:
        file_system_id: its id.
        mount_name: what is mounted, behind ``dns_name``.
    """

    config: LustreConfig
    file_system_id: pulumi.Input[str]
    dns_name: pulumi.Input[str]
    mount_name: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class StorageClassesArgs:
    """What there is, each by its name in the stack file.

    Attributes:
        ebs: the kinds of disks.
        efs: the EFS file systems' ids.
        lustre: the Lustre file systems.
        key_arn: the KMS key that encrypts the disks.
    """

    key_arn: pulumi.Input[str]
    ebs: Mapping[str, EbsClassConfig] = field(default_factory=dict[str, EbsClassConfig])
    efs: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    lustre: Mapping[str, LustreVolume] = field(default_factory=dict[str, LustreVolume])


class StorageClasses(pulumi.ComponentResource):
    """The classes ``ebs-…``, ``efs-…`` and ``lustre-…``.

    Attributes:
        class_names: the classes that are made.
    """

    class_names: list[str]

    def __init__(self, name: str, args: StorageClassesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(StorageClasses), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.class_names = []
        for disk, config in args.ebs.items():
            self._create_ebs(disk, config)
        for system, file_system_id in args.efs.items():
            self._create_efs(system, file_system_id)
        for system, volume in args.lustre.items():
            self._create_lustre(system, volume)
        self.register_outputs({"class_names": self.class_names})

    def _create_ebs(self, disk: str, config: EbsClassConfig) -> None:
        name = self._named("ebs", disk)
        kubernetes.storage.v1.StorageClass(
            f"{self._name}-{name}",
            metadata={"name": name, "annotations": {_DEFAULT: "true"} if config.default else None},
            provisioner="ebs.csi.aws.com",
            parameters={**ebs_parameters(config), "kmsKeyId": self._args.key_arn},
            # Not before there is a pod: a disk is in one zone, and the pod's node decides which.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Retain" if config.retain else "Delete",
            opts=self._child,
        )

    def _create_efs(self, system: str, file_system_id: pulumi.Input[str]) -> None:
        """Each claim gets a folder of its own, which others' pods cannot leave theirs for."""
        name = self._named("efs", system)
        kubernetes.storage.v1.StorageClass(
            f"{self._name}-{name}",
            metadata={"name": name},
            provisioner="efs.csi.aws.com",
            parameters={
                "provisioningMode": "efs-ap",
                "fileSystemId": file_system_id,
                "directoryPerms": "0700",
                "basePath": "/claims",
            },
            volume_binding_mode="Immediate",
            # The folder stays when the claim goes: the driver deletes the access point and no data.
            reclaim_policy="Delete",
            opts=self._child,
        )

    def _create_lustre(self, system: str, volume: LustreVolume) -> None:
        """Nothing is made for a claim: the one volume of the class is the whole file system."""
        name = self._named("lustre", system)
        made = kubernetes.storage.v1.StorageClass(
            f"{self._name}-{name}",
            metadata={"name": name},
            provisioner="kubernetes.io/no-provisioner",
            volume_binding_mode="Immediate",
            reclaim_policy="Retain",
            opts=self._child,
        )
        kubernetes.core.v1.PersistentVolume(
            f"{self._name}-{name}-volume",
            metadata={"name": name},
            spec={
                "storage_class_name": name,
                "capacity": {"storage": f"{volume.config.capacity_gib}Gi"},
                "access_modes": ["ReadWriteMany"],
                "volume_mode": "Filesystem",
                "persistent_volume_reclaim_policy": "Retain",
                "mount_options": ["flock", "noatime"],
                "csi": {
                    "driver": "fsx.csi.aws.com",
                    "volume_handle": volume.file_system_id,
                    "volume_attributes": {"dnsname": volume.dns_name, "mountname": volume.mount_name},
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[made]),
        )

    def _named(self, kind: str, name: str) -> str:
        self.class_names.append(f"{kind}-{name}")
        return self.class_names[-1]


def ebs_parameters(config: EbsClassConfig) -> dict[str, str]:
    """What the EBS driver asks EC2 for: all values are text, as parameters of a class are."""
    bought = {"iops": config.iops, "throughput": config.throughput_mib_s}
    return {
        "type": config.type,
        "encrypted": "true",
        "csi.storage.k8s.io/fstype": "ext4",
        **{name: str(value) for name, value in bought.items() if value is not None},
    }
