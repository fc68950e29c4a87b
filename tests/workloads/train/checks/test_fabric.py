"""That NCCL would not use the fabric is told before it has carried a byte over another network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from train.checks import fabric, run
from train.checks.estimate import Status
from train.checks.fabric import LIBFABRIC
from train.config.failure import Failure
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.parallel.peers import Peers

ROW = Accelerator(instance_type="p5en.48xlarge", vendor="nvidia", chips=8, efa_interfaces=16)
JOB = Job(TrainConfig(), ROW, "job", "node", processes=2, index=0, coordinator="")


def lacking(*there: str, job: Job = JOB, backend: str = "gpu", **environ: str) -> str:
    def load(name: str) -> object:
        if name not in there:
            raise OSError(f"{name}: cannot open shared object file")
        return name

    return fabric.lacking(job, backend, environ, load)


def test_an_image_without_efa_s_software_is_told_with_what_follows_and_what_to_do() -> None:
    assert lacking() == (
        "the image lacks NCCL's network plugin (libnccl-net.so) and libfabric (libfabric.so.1): collectives between "
        "nodes would go over TCP, and not over the 16 Elastic Fabric Adapters of each node. Build the image on a BASE "
        "with EFA's software (aws-efa-installer: libfabric and aws-ofi-nccl, where the dynamic linker finds them; "
        "workloads/Dockerfile), or give the pool efa_interfaces 0"
    )


@pytest.mark.parametrize(
    ("told", "library"),
    [
        ({}, "libnccl-net.so"),
        ({"NCCL_NET_PLUGIN": "ofi"}, "libnccl-net-ofi.so"),
        ({"NCCL_NET_PLUGIN": "spcx,aws-ofi"}, "libnccl-net-aws-ofi.so"),
        ({"NCCL_NET_PLUGIN": "/opt/amazon/ofi-nccl/lib/libnccl-net.so"}, "/opt/amazon/ofi-nccl/lib/libnccl-net.so"),
        ({"NCCL_NET_PLUGIN": "libnccl-net-ofi.so"}, "libnccl-net-ofi.so"),
    ],
)
def test_the_plugin_is_looked_for_under_the_names_that_nccl_tries(told: dict[str, Any], library: str) -> None:
    assert lacking(library, LIBFABRIC, **told) == ""
    assert library in lacking(LIBFABRIC, **told)


def test_a_plugin_that_nccl_does_not_look_for_is_none() -> None:
    assert "NCCL's network plugin (libnccl-net.so):" in lacking("libnccl-net-ofi.so", LIBFABRIC)
    none = lacking("libnccl-net.so", LIBFABRIC, NCCL_NET_PLUGIN="none")
    assert "NCCL's network plugin (NCCL_NET_PLUGIN says that none is to be used):" in none


def test_a_plugin_of_another_network_does_not_stand_for_libfabric() -> None:
    assert lacking("libnccl-net.so").startswith("the image lacks libfabric (libfabric.so.1): ")


def test_whoever_has_no_adapter_or_no_other_node_is_not_asked() -> None:
    assert lacking(job=replace(JOB, processes=1)) == ""
    assert lacking(job=replace(JOB, accelerator=ROW.model_copy(update={"efa_interfaces": 0}))) == ""
    assert lacking(backend="cpu") == ""


class Others:
    """Two processes, of which the other one's image lacks something."""

    def exchange(self, name: str, text: str) -> list[str]:
        return [text, "the image lacks something"]


@contextmanager
def stage(what: str) -> Iterator[None]:
    yield


def look(checks: Any) -> list[Any]:
    job = replace(JOB, config=TrainConfig(checks=checks))
    return run._look_for_fabric(job, cast(Peers, Others()), stage)


def test_it_ends_a_strict_job_at_every_process_and_is_told_by_one_that_only_reports() -> None:
    with pytest.raises(Failure, match=r"^the image lacks something$") as failure:
        look("auto")
    assert failure.value.of_all
    (finding,) = look("report")
    assert (finding.status, finding.sentence, finding.wrong) == (Status.FAIL, "the image lacks something", False)
