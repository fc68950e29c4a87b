"""A Prometheus on a machine of its own, for the nodes of a cluster that is there.

It finds machines that bear the tag ``ai-datacenter:nodes: research`` and run node exporter at port 9100.
"""

from pathlib import Path

import pulumi
import pulumi_aws as aws

import components
from components.monitoring import Monitoring, MonitoringArgs
from components.node_configuration import archive_source, create_archive
from components.settings import MonitoringConfig

REGION = pulumi.Config("aws").require("region")
PLAYBOOKS = Path(components.__path__[0]).parent / "playbooks"  # of the checkout

cluster = aws.eks.get_cluster_output(name="research")  # yours
key = aws.kms.Key("own")
bucket = aws.s3.Bucket("playbooks")
archive = create_archive("playbooks", PLAYBOOKS, bucket.bucket)

monitoring = Monitoring(
    "monitoring",
    MonitoringArgs(
        name="research",
        region=REGION,
        config=MonitoringConfig(instance_type="m7i.large", retention_days=60, node_down_s=120),
        vpc_id=cluster.vpc_config.vpc_id,
        vpc_cidr="10.8.0.0/16",
        subnet_id=cluster.vpc_config.subnet_ids[0],
        cluster_security_group_id=cluster.vpc_config.cluster_security_group_id,
        bucket_arn=bucket.arn,
        key_arn=key.arn,
        archive=archive_source(archive, REGION),
    ),
)

pulumi.export("url", monitoring.url)
