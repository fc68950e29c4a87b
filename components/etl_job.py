"""The job that makes training data: raw text to cleaned, deduplicated, tokenised shards, by schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from . import etl_pod as pod
from . import namespaces
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .pod_identity import PodIdentityArgs, create_pod_identity
from .settings import PROJECT, CatalogueConfig, EtlJobConfig, PoolConfig


@dataclass(frozen=True, kw_only=True)
class EtlJobArgs:
    """Arguments of :class:`EtlJob`.

    Attributes:
        catalogue: the catalogue that runs are told to, ``None`` without one.
        pool: the pool that it runs on.
        image: the workload's image, where nodes pull it from.
        bucket_name: the data bucket, which holds the sources and the runs.
        bucket_arn: its ARN.
    """

    name: str
    region: str
    config: EtlJobConfig
    pool: PoolConfig
    image: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    vpc_cidr: str
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    catalogue: CatalogueConfig | None = None


class EtlJob(pulumi.ComponentResource):
    """A namespace of its own, the pods' identity, and the CronJob.

    Attributes:
        cron_job_name: the CronJob.
        namespace_name: its namespace.
        output_url: where the runs are, as an ``s3://`` URL.
    """

    cron_job_name: pulumi.Output[str]
    namespace_name: pulumi.Output[str]
    output_url: pulumi.Output[str]

    def __init__(self, name: str, args: EtlJobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(EtlJob), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        namespace = self._create_namespace()
        egress = namespaces.in_aws(args.vpc_cidr)
        policies = namespaces.confine(
            name, pod.NAMESPACE, pod.LABELS, self._inside, egress=egress, among_themselves=False
        )
        job = self._create_job(after=[*self._create_identity(), *policies])
        self.namespace_name = namespace.metadata.apply(lambda metadata: metadata.name or pod.NAMESPACE)
        self.cron_job_name = job.metadata.apply(lambda metadata: metadata.name or pod.NAME)
        bucket = pulumi.Output.from_input(args.bucket_name)
        self.output_url = bucket.apply(lambda known: f"s3://{known}/{args.config.output}")
        self.register_outputs({"cron_job_name": self.cron_job_name, "output_url": self.output_url})

    def _create_namespace(self) -> kubernetes.core.v1.Namespace:
        name = f"{self._name}-namespace"
        namespace = namespaces.create_namespace(name, pod.NAMESPACE, "restricted", self._child)
        self._inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        return namespace

    def _create_identity(self) -> list[pulumi.Resource]:
        args = self._args
        identity = PodIdentityArgs(
            role_name=fit(args.name, args.region, "etl", limit=IAM_ROLE_LIMIT),
            cluster_name=args.cluster_name,
            namespace=pod.NAMESPACE,
            account=pod.ACCOUNT,
            policy=pulumi.Output.all(args.bucket_arn, args.key_arn).apply(
                lambda arns: json.dumps(pod.data_access(args.config, args.catalogue, arns[0], arns[1], args.region))
            ),
        )
        return create_pod_identity(self._name, identity, self._child, self._inside)

    def _create_job(self, after: list[pulumi.Resource]) -> kubernetes.batch.v1.CronJob:
        args = self._args
        spec: Any = pulumi.Output.all(args.image, args.bucket_name).apply(
            lambda known: pod.cron_job(args.config, args.catalogue, args.pool, image=known[0], bucket=known[1])
        )
        labels = dict(pod.LABELS)
        if args.config.dataset:
            labels[f"{PROJECT}/dataset"] = args.config.dataset
        return kubernetes.batch.v1.CronJob(
            f"{self._name}-job",
            metadata={"name": pod.NAME, "namespace": pod.NAMESPACE, "labels": labels},
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
