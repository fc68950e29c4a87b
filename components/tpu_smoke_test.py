"""The training job on TPU slices: one indexed Job a slice, so that each slice is proved by itself.

Checkpoints and verdicts are in the stack's own buckets in AWS. The pods have no key of them: AWS trusts the tokens that
the GKE cluster gives to their service account, and to no other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from . import namespaces
from . import tpu_smoke_test_pod as pod
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .settings import SmokeTestConfig, TpuPoolConfig
from .smoke_test_pod import ACCOUNT, NAMESPACE, Buckets, bucket_access, verdict_key
from .tpu_pool import node_pool_names
from .training_job import JobArgs, create_job, create_service, read_verdict


@dataclass(frozen=True, kw_only=True)
class TpuSmokeTestArgs:
    """Arguments of :class:`TpuSmokeTest`.

    Attributes:
        region: of the buckets, in AWS.
        pool: the slices that it proves.
        image: where nodes pull the workload from.
        issuer_url: whose tokens the cluster's service accounts have.
        checkpoint_bucket_name: where checkpoints go.
        checkpoint_bucket_arn: its ARN.
        verdict_bucket_name: where the verdicts go; what they prove stands for long, so nothing in it may expire.
        verdict_bucket_arn: its ARN.
        key_arn: the KMS key of both buckets.
        own_cidrs: the ranges of the cluster's network, which the pods do not reach but for each other.
    """

    name: str
    region: str
    config: SmokeTestConfig
    pool: TpuPoolConfig
    image: str
    issuer_url: str
    checkpoint_bucket_name: pulumi.Input[str]
    checkpoint_bucket_arn: pulumi.Input[str]
    verdict_bucket_name: pulumi.Input[str]
    verdict_bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    own_cidrs: tuple[str, ...]


class TpuSmokeTest(pulumi.ComponentResource):
    """Namespace, identity in AWS, rendezvous, a job for each slice, and their verdicts.

    Attributes:
        job_names: the Jobs, one a slice.
        verdicts: what each measured, in the same order.
    """

    job_names: list[str]
    verdicts: list[pulumi.Output[dict[str, Any] | None]]

    def __init__(self, name: str, args: TpuSmokeTestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(TpuSmokeTest), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        slices = range(args.pool.slices)
        self.job_names = [pod.job_name(args.config, args.pool, index, args.image) for index in slices]
        self._create_namespace()
        role, policy = self._create_role()
        service = create_service(f"{name}-service", pod.LABELS, self._inside)
        after = [policy, self._create_account(), service, *self._create_network_policies()]
        jobs = [self._create_job(index, role, after) for index in slices]
        self.verdicts = [
            read_verdict(verdict_key(known_as, pod.KEYS), job, args.verdict_bucket_name, self)
            for known_as, job in zip(self.job_names, jobs, strict=True)
        ]
        self.register_outputs({"job_names": self.job_names})

    def _create_namespace(self) -> None:
        namespace = namespaces.create_namespace(f"{self._name}-namespace", NAMESPACE, "restricted", self._child)
        self._inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])

    def _create_network_policies(self) -> list[pulumi.Resource]:
        """Names, and AWS over NAT; what the slice is, GKE tells pods by variables, not by the metadata service.

        GKE's dataplane sends questions for kube-dns to a cache on the node, where there is one, and asks the policy
        about the cache.
        """
        egress = [namespaces.to_dns("node-local-dns"), namespaces.to_aws(*self._args.own_cidrs)]
        return namespaces.confine(self._name, NAMESPACE, pod.LABELS, self._inside, egress=egress)

    def _create_role(self) -> tuple[aws.iam.Role, pulumi.Resource]:
        """The least that the pods may do in AWS, by the tokens of their service account."""
        args = self._args
        provider = aws.iam.OpenIdConnectProvider(
            f"{self._name}-issuer", url=args.issuer_url, client_id_lists=[pod.AUDIENCE], opts=self._child
        )
        role = aws.iam.Role(
            f"{self._name}-role",
            name=fit(args.name, args.region, "tpu-smoke-test", limit=IAM_ROLE_LIMIT),
            assume_role_policy=provider.arn.apply(
                lambda arn: json.dumps(pod.federated_trust(arn, args.issuer_url, NAMESPACE, ACCOUNT))
            ),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            policy=pulumi.Output.all(args.checkpoint_bucket_arn, args.verdict_bucket_arn, args.key_arn).apply(
                lambda arns: json.dumps(bucket_access(*arns, region=args.region, keys=pod.KEYS))
            ),
            opts=self._child,
        )
        return role, policy

    def _create_account(self) -> pulumi.Resource:
        return kubernetes.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata={"name": ACCOUNT, "namespace": NAMESPACE},
            automount_service_account_token=False,
            opts=self._inside,
        )

    def _create_job(self, index: int, role: aws.iam.Role, after: list[pulumi.Resource]) -> kubernetes.batch.v1.Job:
        args, name = self._args, self.job_names[index]
        node_pools = node_pool_names(args.config.pool, args.pool)
        node_pool = node_pools[index] if args.pool.slice.is_multi_host else node_pools[0]
        template: Any = pulumi.Output.all(args.checkpoint_bucket_name, args.verdict_bucket_name, role.arn).apply(
            lambda known: pod.template(
                args.config, args.pool, name, node_pool, account=ACCOUNT, namespace=NAMESPACE, image=args.image,
                buckets=Buckets(known[0], known[1]), role_arn=known[2], region=args.region,
            )
        )  # fmt: skip
        job = JobArgs(
            job=name,
            labels=pod.LABELS,
            pods=args.pool.slice.hosts,
            timeout_s=args.config.timeout_s,
            template=template,
        )
        return create_job(f"{self._name}-job-{index}", job, pulumi.ResourceOptions(parent=self, depends_on=after))
