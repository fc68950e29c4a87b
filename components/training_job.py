"""The training job's objects, alike on nodes of EC2 and on TPU slices: rendezvous, indexed Job, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from .outputs import Verdict
from .smoke_test_pod import COORDINATOR_PORT, NAMESPACE, SERVICE, SLACK_S


def create_service(name: str, labels: Mapping[str, str], opts: pulumi.ResourceOptions) -> kubernetes.core.v1.Service:
    """Gives each pod a name before it is ready: process 0 and, on TPUs, all others are found by it."""
    return kubernetes.core.v1.Service(
        name,
        metadata={
            "name": SERVICE,
            "namespace": NAMESPACE,
            # Headless, and the pods come after it: nothing to wait for.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            "cluster_ip": "None",
            "publish_not_ready_addresses": True,
            "selector": labels,
            "ports": [{"name": "coordinator", "port": COORDINATOR_PORT}],
        },
        opts=opts,
    )


@dataclass(frozen=True, kw_only=True)
class JobArgs:
    """``job``: its name in Kubernetes; ``pods``: one a machine, all at once; ``template``: what they are."""

    job: str
    labels: Mapping[str, str]
    pods: int
    timeout_s: int
    template: Any


def create_job(name: str, args: JobArgs, opts: pulumi.ResourceOptions) -> kubernetes.batch.v1.Job:
    """One attempt, awaited a little longer than the API server lets it run."""
    patience = pulumi.CustomTimeouts(create=f"{args.timeout_s + SLACK_S}s")
    # Deleted first: it keeps its name when it is to run again, and of a second one of that name nothing would come.
    own = pulumi.ResourceOptions(custom_timeouts=patience, delete_before_replace=True)
    return kubernetes.batch.v1.Job(
        name,
        metadata={
            "name": args.job,
            "namespace": NAMESPACE,
            "labels": args.labels,
            # A job that failed before is made again by the next run instead of being waited for in vain.
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        spec={
            "completion_mode": "Indexed",
            "completions": args.pods,
            "parallelism": args.pods,
            # One attempt: a training job that passes on the second try hides a bad node.
            "backoff_limit": 0,
            "active_deadline_seconds": args.timeout_s,
            "template": args.template,
        },
        opts=pulumi.ResourceOptions.merge(opts, own),
    )


def read_verdict(
    key: str, job: kubernetes.batch.v1.Job, bucket_name: pulumi.Input[str], parent: pulumi.Resource
) -> pulumi.Output[dict[str, Any] | None]:
    """What the job stored under that key; read after it has completed.

    ``None`` where it is not there any more, which is warned of: every other change would wait for it otherwise.
    """
    asked = pulumi.InvokeOutputOptions(parent=parent, depends_on=[job])
    listed = aws.s3.get_objects_output(bucket=bucket_name, prefix=job.id.apply(lambda _: key), opts=asked)
    return pulumi.Output.all(bucket_name, listed.keys).apply(lambda known: _verdict(known[0], key, known[1], parent))


def _verdict(
    bucket: str, key: str, keys: Sequence[str], parent: pulumi.Resource
) -> pulumi.Output[dict[str, Any] | None]:
    if key not in keys:
        again = "`pulumi up --replace '**::*smoke-test-job*'`, and `aidc up` on one machine, run the test again"
        pulumi.log.warn(f"The verdict s3://{bucket}/{key} is not there any more, so nobody knows it: {again}.", parent)
        return pulumi.Output.from_input(None)
    found = aws.s3.get_object_output(bucket=bucket, key=key, opts=pulumi.InvokeOutputOptions(parent=parent))
    return found.body.apply(lambda body: Verdict.model_validate_json(body).model_dump(mode="json") if body else None)
