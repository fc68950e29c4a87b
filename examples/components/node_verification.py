"""Checks of new nodes in a cluster that is there: ``pulumi config set kubernetes:context`` chooses another context.

Its nodes of the pool register with the taint and the label ``ai-datacenter/unverified`` and with the label
``ai-datacenter/pool: h100``: ``components.launch_template.user_data`` has both, for whoever makes nodes by other means.
"""

import pulumi

from components.node_verification import NodeVerification, NodeVerificationArgs
from components.settings import PoolConfig
from components.verified_nodes import of_node_groups

verification = NodeVerification(
    "node-verification",
    NodeVerificationArgs(
        nodes=of_node_groups({"h100": PoolConfig(instance_type="p5.48xlarge", desired_size=2, verified=True)}),
        image="111122223333.dkr.ecr.us-east-1.amazonaws.com/research/train:1",  # of workloads/Dockerfile
        vpc_cidr="10.8.0.0/16",
        service_cidr="172.20.0.0/16",
    ),
)

pulumi.export("verification_urn", verification.urn)
