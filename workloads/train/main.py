"""A smoke test from start to verdict: devices, a collective, training with checkpoints, one line of JSON."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jax

from train import attention, parallel
from train.checkpoint import Checkpoints
from train.checks import collectives, devices
from train.checks.estimate import Status
from train.checks.health import Health
from train.checks.run import run as run_checks
from train.checks.steps import compare_steps
from train.config import Failure, Job, load
from train.data import Corpus, open_corpus
from train.metrics import Recorder, process_age_s
from train.model import compute_dtype, flops_per_token
from train.report import Setup, Verdict, deliver, judge_loss, now, with_health, with_steps
from train.resume import open_checkpoints, start
from train.run import Run, say
from train.train import Loop, Progress, Trainer


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Run the job that the environment describes; returns the exit status: 0 passed, 1 failed."""
    started_at = now()
    try:
        job = load(environ)
    except Failure as failure:
        say(f"FAIL: {failure}")
        verdict = Verdict(False, str(failure), environ.get("JOB_NAME", ""), started_at=started_at, finished_at=now())
        deliver(verdict, _address_for(environ), environ)
        return 1
    run = Run(job, environ, Verdict(False, "", job.name, processes=job.processes, started_at=started_at))
    try:
        return 0 if run.finish(_run(run)) else 1
    except Failure as failure:
        run.fail(str(failure), of_all=failure.of_all)
    except Exception as error:  # a peer that died shows as one of many runtime errors of the backend
        first_line = next(iter(str(error).splitlines()), "")
        run.fail(f"{run.phase} failed: {type(error).__name__}: {first_line[:300]}")
    return 1


def _address_for(environ: Mapping[str, str]) -> str:
    """Where the verdict of an unusable configuration goes: its ``verdict_uri``, if that much can be read of it."""
    if environ.get("JOB_COMPLETION_INDEX", "0") != "0":
        return ""
    try:
        address = json.loads(environ.get("TRAIN_CONFIG", ""))["verdict_uri"]
    except (ValueError, KeyError, TypeError):
        return ""
    return address if isinstance(address, str) else ""


def _run(run: Run) -> Verdict:
    job, config = run.job, run.job.config
    _use_cache(config.compilation_cache or run.environ.get("JAX_COMPILATION_CACHE_DIR", ""))
    mesh = _join(run)
    with run.watchdog.limit(config.step_timeout_s, "checking devices and the all-reduce"):
        corpus = _check(run, mesh)
    if config.checks != "off" and not job.emulated_devices:  # whose speed says nothing of the nodes
        _note_health(run, run_checks(job, run.peers, mesh, run.stage))
    with run.watchdog.limit(2 * config.step_timeout_s, "compiling and loading the checkpoint"):
        run.enter("loading")
        trainer = Trainer(config, mesh, _choose_attention(run, mesh))
        loop = Loop(job, trainer, corpus, run.heartbeat.at)
        if job.processes > 1 and not trainer.is_apart:
            say("devices share parameters, so that no process has a time of its own: the steps do not tell who is slow")
        checkpoints = open_checkpoints(run, config.training_digest(corpus.digest, loop.batch_rows))
        progress = start(run, trainer, loop, checkpoints)
    run.verdict = replace(run.verdict, attention=trainer.attention)
    _train(run, loop, progress, checkpoints)
    with run.watchdog.limit(config.step_timeout_s, "the last evaluation"):
        everyone = run.peers.gather("train/curves", json.dumps([point.own_s for point in run.track.points]))
        run.own_s = tuple(tuple(json.loads(text)) for text in everyone)
        _judge_steps(run, loop)
        run.verdict = replace(run.verdict, loss_last=loop.validation_loss(progress.state))
        run.peers.leave()
    return judge_loss(run.verdict, config.min_loss_drop)


def _use_cache(folder: str) -> None:
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


def _join(run: Run) -> jax.sharding.Mesh:
    job = run.job
    if job.emulated_devices:
        say(f"{job.emulated_devices} devices of this node are emulated by its CPUs")
        jax.config.update("jax_num_cpu_devices", job.emulated_devices)
    run.enter("waiting for all processes")
    what = f"{job.processes} processes at {job.coordinator}" if job.processes > 1 else "this machine's devices"
    diagnose = run.peers.diagnose if job.processes > 1 else None
    with run.watchdog.limit(job.config.startup_timeout_s, f"waiting for {what}", diagnose):
        run.peers.connect()
        run.peers.listen(run.fail_with_peer)
        run.heartbeat.start()
        return parallel.make_mesh()


def _check(run: Run, mesh: jax.sharding.Mesh) -> Corpus:
    """Devices, text and one collective, each with its own sentence when it fails."""
    job = run.job
    run.enter("checking devices")
    devices.check_devices(job)
    devices.check_processes(job, mesh)
    corpus = open_corpus(job.config)
    nodes = run.peers.exchange("train/node", job.node)
    if len(set(run.peers.exchange("train/text", corpus.digest))) > 1:
        raise Failure("the processes hold different text: other Pythons in their images, or other shards")
    run.enter("adding up over all devices")
    all_reduce = collectives.time_one(mesh, collectives.ALL_REDUCE)
    say(f"{mesh.devices.size} devices, all-reduce of 4 MiB in {1e3 * all_reduce.seconds:.1f} ms")
    run.verdict = replace(
        run.verdict,
        devices=int(mesh.devices.size),
        device_kind=jax.devices()[0].device_kind,
        emulated=bool(job.emulated_devices),
        setup=_setup(job),
        nodes=tuple(nodes),
        collective_time_s=all_reduce.seconds,
    )
    return corpus


def _setup(job: Job) -> Setup:
    """What a reader of the verdict must know to repeat it."""
    config, model = job.config, job.config.model
    checks = "off" if config.checks == "off" or job.emulated_devices else "strict" if job.is_strict else "report"
    return Setup(
        instance_type=job.accelerator.instance_type,
        backend=jax.default_backend(),
        software=devices.software(),
        model=f"{model.architecture}, {model.layers} layers, {model.width} wide, {model.context} tokens of context, "
        f"{config.batch_size} sequences a step, seed {config.seed}",
        checks=checks,
    )


def _note_health(run: Run, health: Health) -> None:
    """Keep what the checks found; raises :class:`Failure` where the job must not go on with such nodes."""
    say(f"checks: {health.status}{': ' if health.reason else ''}{health.reason}")
    run.verdict = with_health(run.verdict, health)
    if health.wrong:
        raise Failure(health.wrong, of_all=True)
    if run.job.is_strict and health.status is not Status.PASS:
        raise Failure(health.reason, of_all=True)


def _choose_attention(run: Run, mesh: jax.sharding.Mesh) -> str:
    """The configured implementation, or the fastest on the chips of process 0: all must compute by the same."""
    config, platform = run.job.config, mesh.devices.flat[0].platform
    if config.model.attention != "auto":
        return config.model.attention
    rows = max(1, config.batch_size // mesh.devices.size // config.accumulate)

    def fastest() -> str:
        names = attention.candidates(platform)
        name, seconds = attention.choose(config.model, rows, compute_dtype(platform), names)
        if seconds:
            say(f"attention by {name}: " + ", ".join(f"{each} {1e3 * s:.2f} ms" for each, s in seconds.items()))
        return name

    return run.peers.from_first("train/attention", fastest)


def _train(run: Run, loop: Loop, progress: Progress, checkpoints: Checkpoints | None) -> None:
    config = run.job.config
    run.enter("training")
    signal.signal(signal.SIGTERM, run.on_signal)
    recorder = Recorder(config.metrics_folder if run.job.first else "", run.job, flops_per_token(config.model), say)
    while progress.step < config.steps:
        with run.watchdog.limit(config.step_timeout_s, f"step {progress.step + 1}"):
            loss = loop.advance(progress)
            _note(run, loop, progress, loss)
            recorder.step(progress.step, loss, loop.times, progress.skipped)
            if checkpoints and progress.step % config.checkpoint_every == 0 and progress.step < config.steps:
                checkpoints.save(loop.mark(progress), progress.state)
        _stop_if_asked(run, loop, progress, checkpoints)
    recorder.close()
    _save_last(run, loop, progress, checkpoints)


def _note(run: Run, loop: Loop, progress: Progress, loss: float) -> None:
    times, is_first = loop.times, not run.verdict.first_step_s
    run.track.add(progress.step, loss, times)
    run.verdict = replace(
        run.verdict,
        steps=progress.step,
        skipped_steps=progress.skipped,
        first_step_s=process_age_s() if is_first else run.verdict.first_step_s,
        tokens_per_s=times.tokens_per_s(),
        step_time_p50_s=times.percentile_s(50),
        step_time_p95_s=times.percentile_s(95),
    )
    if progress.step % run.job.config.log_every == 0 or is_first:
        after = f", {run.verdict.first_step_s:.2f} s after the process started" if is_first else ""
        skipped = f", {progress.skipped} steps skipped" if progress.skipped else ""
        say(f"step {progress.step}: loss {loss:.4f}, {times.tokens_per_s():,.0f} tokens/s{skipped}{after}")


def _judge_steps(run: Run, loop: Loop) -> None:
    """What the training itself says of who is slow; raises :class:`Failure` where that must end the job."""
    if not run.verdict.node_checks:
        return
    effects = compare_steps(run.peers, loop.times.own_s)
    run.verdict = with_steps(run.verdict, effects)
    if run.job.is_strict and run.verdict.health != Status.PASS:
        raise Failure(run.verdict.health_reason, of_all=True)


def _save_last(run: Run, loop: Loop, progress: Progress, checkpoints: Checkpoints | None) -> None:
    """Every process writes what it has, and waits for the others."""
    if checkpoints is None:
        return
    run.heartbeat.at("the last checkpoint")
    with run.watchdog.limit(run.job.config.checkpoint_timeout_s, "the last checkpoint"):
        where = checkpoints.save_last(loop.mark(progress), progress.state)
        where = run.peers.exchange("train/saved", where)[0]
    run.verdict = replace(run.verdict, checkpoint=where)


def _stop_if_asked(run: Run, loop: Loop, progress: Progress, checkpoints: Checkpoints | None) -> None:
    """After a SIGTERM at any process: all save after the same step, and process 0 ends the job."""
    me = f"process {run.job.index} on {run.job.node}"
    if run.stopping and not run.job.first:
        run.peers.ask_to_stop(me)
    if run.job.first and not run.peers.stops_after()[0] and (who := me if run.stopping else run.peers.asked_to_stop()):
        run.peers.stop_after(progress.step + (run.job.processes > 1), who)
    step, who = run.peers.stops_after()
    if step and step == progress.step:
        _save_last(run, loop, progress, checkpoints)
        if not run.job.first:
            time.sleep(run.job.config.step_timeout_s)  # process 0 says why, and that ends this one
        saved = f"saved as {run.verdict.checkpoint}" if checkpoints else "nothing is saved without a checkpoint_uri"
        raise Failure(f"{who} was told to stop (SIGTERM) after step {progress.step}: {saved}")
