"""The drivers that bring EBS and FSx for Lustre to the pods of a cluster that is there."""

import pulumi
import pulumi_aws as aws

from components.csi_drivers import CsiDrivers, CsiDriversArgs

key = aws.kms.Key("own")

drivers = CsiDrivers(
    "drivers",
    CsiDriversArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        kubernetes_version="1.34",
        cluster_name="research",  # yours, with nodes: the drivers' controllers run on them
        key_arn=key.arn,
        ebs=True,
        fsx=True,
    ),
)

pulumi.export("addons", {name: addon.addon_version for name, addon in drivers.addons.items()})
