"""Where smoke tests store their verdicts: known before any of their jobs, each named by the digest of what it tests."""

from __future__ import annotations

from .. import smoke_test_pod
from ..naming import folder_digest
from ..registry import IMAGE_SOURCES
from ..settings import TpuConfig
from .site import Site


def verdict_keys(site: Site, image_digest: str) -> tuple[str, ...]:
    """The keys of all verdicts of what is declared: that of the nodes, then those of the TPU slices.

    Args:
        image_digest: of the image that the nodes run.
    """
    test, version = site.config.smoke_test, site.config.cluster.version
    job = smoke_test_pod.job_name(test, site.config.pools[test.pool], image_digest, version)
    return (smoke_test_pod.verdict_key(job), *_of_slices(site))


def _of_slices(site: Site) -> tuple[str, ...]:
    tpu = site.config.tpu
    if tpu is None or tpu.smoke_test is None:
        return ()
    from .. import tpu_smoke_test_pod as pod  # it needs Google's package, which stacks with the section have
    from ..gke import repository_url

    test, pool = tpu.smoke_test, tpu.pools[tpu.smoke_test.pool]
    image = f"{repository_url(site.name, tpu)}{tpu_image_reference(site, tpu)}"
    jobs = (pod.job_name(test, pool, index, image) for index in range(pool.slices))
    return tuple(smoke_test_pod.verdict_key(job, pod.KEYS) for job in jobs)


def tpu_image_reference(site: Site, config: TpuConfig) -> str:
    """The image's digest with ``@``, or the tag that its sources make with ``:``."""
    digest = config.image_digest
    return f"@{digest}" if digest else f":{folder_digest(site.workloads, IMAGE_SOURCES)}"
