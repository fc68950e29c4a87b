"""All types by their tokens."""

from __future__ import annotations

from local.aws import ec2_compute, ec2_network, ec2_security, ecr, eks, eks_access, iam, kms, logs, s3, s3_settings
from local.aws.resource_type import ResourceType

TYPES: dict[str, ResourceType] = {
    kind.token: kind
    for table in (ec2_network, ec2_security, ec2_compute, iam, kms, logs, eks, eks_access, s3, s3_settings, ecr)
    for kind in table.TYPES
}
