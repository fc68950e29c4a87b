"""A machine that watches the others: a Prometheus outside the cluster, for a cluster that is down cannot tell.

It finds the nodes by their tag, asks the node exporter of each, and warns by the rules of the role ``prometheus``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .gpu_exporter import DCGM_PORT
from .naming import IAM_ROLE_LIMIT, MONITORING_TAG, component_type, fit
from .network import service_trust
from .node_configuration import apply_playbook, archive_rights, parameters
from .node_role import systems_manager
from .playbook_archive import MONITORING_PLAYBOOK
from .releases import DEBIAN_IMAGES, DEBIAN_OWNER
from .settings import MonitoringConfig
from .user_data import user_data

NODE_EXPORTER_PORT, PROMETHEUS_PORT = 9100, 9090


@dataclass(frozen=True, kw_only=True)
class VerdictSource:
    """Where the jobs that prove what is declared store their verdicts.

    Attributes:
        bucket_name: the bucket, encrypted by the key of that with the playbooks.
        bucket_arn: its ARN.
        prefix: of the keys of all such jobs; what it may read.
        keys: of these jobs' verdicts; the folder's name is the job's.
    """

    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    prefix: str
    keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Arguments of :class:`Monitoring`.

    Attributes:
        subnet_id: a private one.
        bucket_arn: the bucket with the playbooks.
        archive: where they are, as the document takes it: :class:`~components.node_configuration.NodeConfiguration` has
            it as ``source``.
        gpu_types: instance types whose nodes run DCGM's exporter.
        verdicts: the smoke tests', which become metrics; absent: none is looked for.
    """

    name: str
    region: str
    config: MonitoringConfig
    vpc_id: pulumi.Input[str]
    vpc_cidr: str
    subnet_id: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    archive: pulumi.Input[str]
    gpu_types: tuple[str, ...] = ()
    verdicts: VerdictSource | None = None


class Monitoring(pulumi.ComponentResource):
    """The instance, who may talk to whom, its rights, and the association that makes a Prometheus of it.

    Attributes:
        instance_id: the instance.
        private_ip: its address in the VPC.
        url: Prometheus, from inside the VPC.
    """

    instance_id: pulumi.Output[str]
    private_ip: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Monitoring), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        group, way_to_nodes = self._create_security_group()
        profile, rights = self._create_profile()
        instance = self._create_instance(group, profile, after=[way_to_nodes, *rights])
        self._create_association(instance)
        self.instance_id, self.private_ip = instance.id, instance.private_ip
        self.url = instance.private_ip.apply(lambda address: f"http://{address}:{PROMETHEUS_PORT}")
        self.register_outputs({"instance_id": self.instance_id, "url": self.url})

    def _create_security_group(self) -> tuple[aws.ec2.SecurityGroup, pulumi.Resource]:
        """It is asked from inside the VPC only, for it knows no passwords; the nodes let it ask their exporters."""
        args = self._args
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            description="Prometheus, for whoever is inside the VPC",
            vpc_id=args.vpc_id,
            tags={"Name": f"{args.name}-monitoring"},
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-from-inside",
            security_group_id=group.id,
            cidr_ipv4=args.vpc_cidr,
            ip_protocol="tcp",
            from_port=PROMETHEUS_PORT,
            to_port=PROMETHEUS_PORT,
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-out",
            security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="-1",
            opts=self._child,
        )
        if args.gpu_types:
            self._create_way("to-gpus", DCGM_PORT, group)
        return group, self._create_way("to-nodes", NODE_EXPORTER_PORT, group)

    def _create_way(self, label: str, port: int, group: aws.ec2.SecurityGroup) -> aws.vpc.SecurityGroupIngressRule:
        return aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{label}",
            security_group_id=self._args.cluster_security_group_id,
            referenced_security_group_id=group.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._child,
        )

    def _create_profile(self) -> tuple[aws.iam.InstanceProfile, list[pulumi.Resource]]:
        args = self._args
        name = fit(args.name, args.region, "monitoring", limit=IAM_ROLE_LIMIT)
        role = aws.iam.Role(
            f"{self._name}-role",
            name=name,
            assume_role_policy=json.dumps(service_trust("ec2.amazonaws.com")),
            opts=self._child,
        )
        policies: dict[str, pulumi.Input[str]] = {
            "systems-manager": json.dumps(systems_manager()),
            "playbooks": archive_rights(args.bucket_arn, args.key_arn, args.region),
            "discovery": json.dumps(find_nodes()),
        }
        if args.verdicts:
            policies["verdict"] = verdict_rights(args.verdicts)
        rights: list[pulumi.Resource] = [
            aws.iam.RolePolicy(f"{self._name}-{label}", role=role.name, policy=policy, opts=self._child)
            for label, policy in policies.items()
        ]
        profile = aws.iam.InstanceProfile(f"{self._name}-profile", name=name, role=role.name, opts=self._child)
        return profile, rights

    def _create_instance(
        self, group: aws.ec2.SecurityGroup, profile: aws.iam.InstanceProfile, after: list[pulumi.Resource]
    ) -> aws.ec2.Instance:
        args = self._args
        image = aws.ec2.get_ami_output(
            owners=[DEBIAN_OWNER],
            most_recent=True,
            filters=[{"name": "name", "values": [DEBIAN_IMAGES]}],
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return aws.ec2.Instance(
            f"{self._name}-instance",
            ami=image.id,
            instance_type=args.config.instance_type,
            subnet_id=args.subnet_id,
            vpc_security_group_ids=[group.id],
            iam_instance_profile=profile.name,
            root_block_device={
                "volume_size": args.config.disk_size_gb,
                "volume_type": "gp3",
                "encrypted": True,
                "kms_key_id": args.key_arn,
                "delete_on_termination": True,
            },
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            # Another one stops the machine and starts it again, with its disk: its script runs at every boot.
            user_data=user_data(args.region),
            user_data_replace_on_change=False,
            tags={"Name": machine_name(args), MONITORING_TAG: args.name},
            # A newer image of Debian's must not take the machine away with all that it has measured.
            opts=pulumi.ResourceOptions(parent=self, depends_on=after, ignore_changes=["ami"]),
        )

    def _create_association(self, instance: aws.ec2.Instance) -> None:
        args = self._args
        apply_playbook(
            f"{self._name}-association",
            association_name=f"{args.name}-monitoring",
            tag=(MONITORING_TAG, args.name),
            parameters={
                **parameters(args.archive, MONITORING_PLAYBOOK, variables(args)),
                "InstallDependencies": "False",  # user data has
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[instance]),
        )


def machine_name(args: MonitoringArgs) -> str:
    """The machine's name, by its tag and in alerts."""
    return f"{args.name}-monitoring"


def variables(args: MonitoringArgs) -> dict[str, pulumi.Input[str]]:
    """The role's variables: how the nodes are found where no inventory names them, and what the stack file sets.

    The tag's key is the role's default: the document takes no colon.
    """
    found: dict[str, pulumi.Input[str]] = {}
    if args.gpu_types:
        found["prometheus_gpu_instance_types"] = ",".join(args.gpu_types)
    if args.verdicts:
        found["prometheus_verdict_bucket"] = args.verdicts.bucket_name
        found["prometheus_verdict_keys"] = ",".join(args.verdicts.keys)
    return {
        **found,
        "prometheus_machine_name": machine_name(args),  # it configures itself, and is its own localhost
        "prometheus_ec2_region": args.region,
        "prometheus_ec2_tag_value": args.name,
        "prometheus_scrape_interval_s": str(args.config.scrape_interval_s),
        "prometheus_node_down_for_s": str(args.config.node_down_s),
        "prometheus_cpu_percent": str(args.config.cpu_percent),
        "prometheus_memory_percent": str(args.config.memory_percent),
        "prometheus_disk_percent": str(args.config.disk_percent),
        "prometheus_retention_days": str(args.config.retention_days),
    }


def verdict_rights(verdicts: VerdictSource) -> pulumi.Output[str]:
    """To read verdicts, and to list them: S3 tells who may not list that a missing one is forbidden."""

    def policy(arn: str) -> str:
        get = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/{verdicts.prefix}/*/verdict.json"}
        listing: dict[str, Any] = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}
        listing["Condition"] = {"StringLike": {"s3:prefix": f"{verdicts.prefix}/*"}}
        return json.dumps({"Version": "2012-10-17", "Statement": [get, listing]})

    return pulumi.Output.from_input(verdicts.bucket_arn).apply(policy)


def find_nodes() -> dict[str, Any]:
    """What Prometheus asks EC2 to find nodes; neither action can be limited to some resources."""
    actions = ["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
