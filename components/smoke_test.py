"""The training job that proves the data centre: `pulumi up` waits for it and fails when it fails.

A Job cannot be changed, so its name carries the digest of what it tests: another pool, image or configuration is
another Job, and the same ones are no change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from . import namespaces
from . import smoke_test_pod as pod
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .pod_identity import PodIdentityArgs, create_pod_identity
from .settings import PoolConfig, SmokeTestConfig
from .smoke_test_pod import ACCOUNT, NAMESPACE
from .training_job import JobArgs, create_job, create_service, read_verdict


@dataclass(frozen=True, kw_only=True)
class SmokeTestArgs:
    """Arguments of :class:`SmokeTest`.

    Attributes:
        pool: the pool that it proves.
        image: where nodes pull the workload from.
        image_digest: known before anything exists; it names the job.
        kubernetes_version: the cluster's, as ``1.34``: the nodes of another one have not been tested.
        checkpoint_bucket_name: where checkpoints go.
        checkpoint_bucket_arn: its ARN.
        verdict_bucket_name: where the verdict goes; what it proves stands for long, so nothing in it may expire.
        verdict_bucket_arn: its ARN.
        key_arn: the KMS key of both buckets.
    """

    name: str
    region: str
    config: SmokeTestConfig
    pool: PoolConfig
    image: pulumi.Input[str]
    image_digest: str
    kubernetes_version: str
    cluster_name: pulumi.Input[str]
    checkpoint_bucket_name: pulumi.Input[str]
    checkpoint_bucket_arn: pulumi.Input[str]
    verdict_bucket_name: pulumi.Input[str]
    verdict_bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    vpc_cidr: str


class SmokeTest(pulumi.ComponentResource):
    """Namespace, identity, rendezvous, the job, and its verdict.

    Attributes:
        job_name: the Job.
        namespace_name: its namespace.
        verdict: what it measured, and whether the nodes train.
    """

    job_name: str
    namespace_name: pulumi.Output[str]
    verdict: pulumi.Output[dict[str, Any] | None]

    def __init__(self, name: str, args: SmokeTestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(SmokeTest), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.job_name = pod.job_name(args.config, args.pool, args.image_digest, args.kubernetes_version)
        namespace = self._create_namespace()
        identity = self._create_identity()
        service = create_service(f"{name}-service", pod.LABELS, self._inside)
        egress = namespaces.in_aws(args.vpc_cidr)
        policies = namespaces.confine(name, NAMESPACE, pod.LABELS, self._inside, egress=egress)
        job = self._create_job(after=[*identity, service, *policies])
        self.namespace_name = namespace.metadata.apply(lambda metadata: metadata.name or NAMESPACE)
        self.verdict = read_verdict(pod.verdict_key(self.job_name), job, args.verdict_bucket_name, self)
        self.register_outputs({"job_name": self.job_name, "verdict": self.verdict})

    def _create_namespace(self) -> kubernetes.core.v1.Namespace:
        namespace = namespaces.create_namespace(f"{self._name}-namespace", NAMESPACE, "restricted", self._child)
        self._inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        return namespace

    def _create_identity(self) -> list[pulumi.Resource]:
        args = self._args
        identity = PodIdentityArgs(
            role_name=fit(args.name, args.region, "smoke-test", limit=IAM_ROLE_LIMIT),
            cluster_name=args.cluster_name,
            namespace=NAMESPACE,
            account=ACCOUNT,
            policy=pulumi.Output.all(args.checkpoint_bucket_arn, args.verdict_bucket_arn, args.key_arn).apply(
                lambda arns: json.dumps(pod.bucket_access(*arns, region=args.region))
            ),
        )
        return create_pod_identity(self._name, identity, self._child, self._inside)

    def _create_job(self, after: list[pulumi.Resource]) -> kubernetes.batch.v1.Job:
        args = self._args
        template: Any = pulumi.Output.all(args.image, args.checkpoint_bucket_name, args.verdict_bucket_name).apply(
            lambda known: pod.template(
                args.config, args.pool, self.job_name, NAMESPACE, ACCOUNT, image=known[0],
                buckets=pod.Buckets(known[1], known[2]),
            )
        )  # fmt: skip
        job = JobArgs(
            job=self.job_name,
            labels=pod.LABELS,
            pods=args.pool.desired_size,
            timeout_s=args.config.timeout_s,
            template=template,
        )
        return create_job(f"{self._name}-job", job, pulumi.ResourceOptions(parent=self, depends_on=after))
