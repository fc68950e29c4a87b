"""Classes for pods over disks and over file systems that somebody else made.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
It has the CSI drivers of EBS, EFS and FSx for Lustre: csi_drivers.py.
"""

import pulumi

from components.settings import EbsClassConfig, LustreConfig
from components.storage_classes import LustreVolume, StorageClasses, StorageClassesArgs

classes = StorageClasses(
    "classes",
    StorageClassesArgs(
        key_arn="arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ebs={"fast": EbsClassConfig(type="gp3", iops=6000, default=True)},
        efs={"homes": "fs-0123456789abcdef0"},
        lustre={
            "scratch": LustreVolume(
                config=LustreConfig(capacity_gib=2400, throughput_mb_s_per_tib=250, zone="us-east-1a"),
                file_system_id="fs-0fedcba9876543210",
                dns_name="fs-0fedcba9876543210.fsx.us-east-1.amazonaws.com",
                mount_name="abcdefgh",
            )
        },
    ),
)

pulumi.export("class_names", classes.class_names)
