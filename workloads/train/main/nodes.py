"""The nodes of a job before it trains: found, counted, and judged by what the checks say of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax

from train.checks import collectives, devices
from train.checks.estimate import Status
from train.checks.health import Health
from train.config.failure import Failure
from train.config.job import Job
from train.config.words import counted
from train.data.batches import Corpus, open_corpus
from train.main.run import Run, say
from train.parallel.mesh import arrange, make_mesh
from train.report import Setup, with_health


def use_cache(folder: str) -> None:
    """Keep compiled programs where a writable folder is given, however quick they were to compile."""
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        say(f"compilation cache {folder} cannot be used ({error.strerror}): compiling anew")
        return
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def join(run: Run) -> jax.sharding.Mesh:
    """Wait for all processes of the job; the mesh of their devices."""
    job = run.job
    if job.emulated_devices:
        say(f"{counted(job.emulated_devices, 'device')} of this node emulated by its CPUs")
        jax.config.update("jax_num_cpu_devices", job.emulated_devices)
    run.enter("waiting for all processes")
    what = f"{job.processes} processes at {job.coordinator}" if job.processes > 1 else "this machine's devices"
    diagnose = run.peers.diagnose if job.processes > 1 else None
    with run.watchdog.limit(job.config.startup_timeout_s, f"waiting for {what}", diagnose):
        run.peers.connect()
        run.peers.listen(run.fail_with_peer)
        run.heartbeat.start()
        return make_mesh()


def check(run: Run, mesh: jax.sharding.Mesh) -> None:
    """Devices and one collective, each with its own sentence when it fails."""
    job = run.job
    run.enter("checking devices")
    devices.check_devices(job)
    devices.check_processes(job, mesh)
    arrange(mesh, job.config.fsdp, job.config.tensor)  # before the nodes are checked, which takes a while
    nodes = run.peers.exchange("train/node", job.node)
    run.enter("adding up over all devices")
    all_reduce = collectives.time_one(mesh, collectives.ALL_REDUCE)
    say(f"{counted(mesh.devices.size, 'device')}, all-reduce of 4 MiB in {1e3 * all_reduce.seconds:.1f} ms")
    run.verdict = replace(
        run.verdict,
        devices=int(mesh.devices.size),
        device_kind=jax.devices()[0].device_kind,
        emulated=bool(job.emulated_devices),
        setup=setup(job, job.config.batch_size),
        nodes=tuple(nodes),
        collective_time_s=all_reduce.seconds,
    )


def read_text(run: Run) -> Corpus:
    """The text to train on, whole and the same at all processes; raises :class:`Failure` where it is not."""
    config = run.job.config
    run.enter("reading the text")
    what, seconds = "reading the text", config.step_timeout_s
    if config.corpus_uri:  # which may be of any size
        what, seconds = "reading corpus_uri, for which checkpoint_timeout_s is the limit,", config.checkpoint_timeout_s
    with run.watchdog.limit(seconds, what):
        corpus = open_corpus(config)
        if len(set(run.peers.exchange("train/text", corpus.digest))) > 1:
            raise Failure("the processes hold different text: other Pythons in their images, or other shards")
    return corpus


def setup(job: Job, batch_rows: int) -> Setup:
    """What a reader of the verdict must know to repeat it; ``batch_rows`` are the sequences of a step."""
    config, model = job.config, job.config.model
    checks = "off" if config.checks == "off" or job.emulated_devices else "strict" if job.is_strict else "report"
    return Setup(
        instance_type=job.accelerator.instance_type,
        backend=jax.default_backend(),
        software=devices.software(),
        model=f"{model.architecture}, {model.layers} layers, {model.width} wide, {model.context} tokens of context, "
        f"{batch_rows} sequences a step, seed {config.seed}",
        checks=checks,
    )


def note_health(run: Run, health: Health) -> None:
    """Keep what the checks found; raises :class:`Failure` where the job must not go on with such nodes."""
    say(f"checks: {health.status}{': ' if health.reason else ''}{health.reason}")
    run.verdict = with_health(run.verdict, health)
    if health.wrong:
        raise Failure(health.wrong, of_all=True)
    if run.job.is_strict and health.status is not Status.PASS:
        raise Failure(health.reason, of_all=True)
