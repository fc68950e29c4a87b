"""A smoke test from start to verdict: devices, a collective, training with checkpoints, one line of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace

from train.checkpoint.store import split_uri
from train.checks.run import run as run_checks
from train.config.failure import Failure
from train.config.job import Job, load
from train.main.nodes import check, join, note_health, read_text, setup, use_cache
from train.main.resume import begin, open_checkpoints, resume
from train.main.run import Run, say
from train.main.stop import signals
from train.main.training import choose_attention, judge_steps, train
from train.optim import warm_up
from train.parallel import cpu
from train.report import Verdict, deliver, judge_loss, now
from train.train import Loop, Trainer


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
    with signals(run):
        try:
            verdict = _run(run)
            with run.watchdog.limit(job.config.checkpoint_timeout_s, "storing the verdict"):
                return 0 if run.finish(verdict) else 1
        except Failure as failure:
            run.fail(str(failure), of_all=failure.of_all)
        except Exception as error:  # a peer that died shows as one of many runtime errors of the backend
            first_line = next(iter(str(error).splitlines()), "")
            who = run.heartbeat.silent()
            run.fail(f"{run.phase} failed: {type(error).__name__}: {first_line[:300]}{': ' if who else ''}{who}")
    return 1


def _run(run: Run) -> Verdict:
    job, config = run.job, run.job.config
    use_cache(config.compilation_cache or run.environ.get("JAX_COMPILATION_CACHE_DIR", ""))
    mesh = join(run)
    with run.watchdog.limit(config.step_timeout_s, "trying verdict_uri"):
        _try_verdict_uri(job)
    with run.watchdog.limit(config.step_timeout_s, "checking devices and the all-reduce"):
        check(run, mesh)
    corpus = read_text(run)
    if config.checks != "off" and not job.emulated_devices:  # whose speed says nothing of the nodes
        note_health(run, run_checks(job, run.peers, mesh, run.stage))
    run.enter("loading")
    with run.watchdog.limit(2 * config.step_timeout_s, "compiling and the evaluation before training"):
        trainer = Trainer(config, mesh, choose_attention(run, mesh), run.peers.exchange("train/cpu", cpu.kind()))
        loop = Loop(job, trainer, corpus, run.heartbeat.at)
        run.verdict = replace(run.verdict, attention=trainer.attention, setup=setup(job, loop.batch_rows))
        _say_how_it_is_shared(job, trainer, loop)
        progress = begin(run, trainer, loop)
    with run.watchdog.limit(config.checkpoint_timeout_s, "reading the newest checkpoint"):
        checkpoints = open_checkpoints(run, corpus.digest, loop.batch_rows)
        if checkpoints:
            progress = resume(run, trainer, loop, checkpoints) or progress
    train(run, loop, progress, checkpoints)
    with run.watchdog.limit(config.step_timeout_s, "the last evaluation"):
        everyone = run.peers.gather("train/curves", json.dumps([point.own_s for point in run.track.points]))
        run.own_s = tuple(tuple(json.loads(text)) for text in everyone)
        judge_steps(run, loop)
        run.verdict = replace(run.verdict, loss_last=loop.validation_loss(progress.state))
        run.peers.leave()
    return judge_loss(run.verdict, config.min_loss_drop)


def _try_verdict_uri(job: Job) -> None:
    """Before the training, for a verdict that cannot be stored fails it."""
    if not (job.first and job.config.verdict_uri):
        return
    try:
        store, name = split_uri(job.config.verdict_uri)
        store.probe(name)
    except Failure as failure:
        raise Failure(f"verdict_uri: {failure}") from None


def _say_how_it_is_shared(job: Job, trainer: Trainer, loop: Loop) -> None:
    if job.processes > 1 and not trainer.is_apart:
        say("devices share parameters, so that no process has a time of its own: the steps do not tell who is slow")
    if loop.batch_rows != (asked := job.config.batch_size):
        say(f"batch_size {asked} is rounded up to {loop.batch_rows}: as many rows for each device and part")
    if (steps := warm_up(job.config)) != (asked := job.config.warmup_steps):
        say(f"warmup_steps {asked} is cut to {steps}: half of the steps at most")


def _address_for(environ: Mapping[str, str]) -> str:
    """Where the verdict of an unusable configuration goes: its ``verdict_uri``, if that much can be read of it."""
    if environ.get("JOB_COMPLETION_INDEX", "0") != "0":
        return ""
    try:
        address = json.loads(environ.get("TRAIN_CONFIG", ""))["verdict_uri"]
    except (ValueError, KeyError, TypeError):
        return ""
    return address if isinstance(address, str) else ""
