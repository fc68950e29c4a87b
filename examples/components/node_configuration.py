"""The playbooks on machines of one's own: those that bear the tag ``ai-datacenter:nodes: research``.

Their role, here a node group's that somebody else made, gets the right to read them.
"""

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

import components
from components.network import service_trust
from components.node_configuration import NodeConfiguration, NodeConfigurationArgs

key = aws.kms.Key("own")
bucket = aws.s3.Bucket("playbooks")
role = aws.iam.Role("nodes", assume_role_policy=json.dumps(service_trust("ec2.amazonaws.com")))

configuration = NodeConfiguration(
    "configuration",
    NodeConfigurationArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        playbooks=Path(components.__path__[0]).parent / "playbooks",  # of the checkout, or a copy with your roles
        bucket_name=bucket.bucket,
        bucket_arn=bucket.arn,
        key_arn=key.arn,
        node_role_names={"own": role.name},
    ),
)

pulumi.export("association_id", configuration.association_id)
