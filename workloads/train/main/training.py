"""The training itself, step by step: noted, saved on the way, stopped when asked, and judged by its own times."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import jax

from train.checkpoint.checkpoints import Checkpoints
from train.checks.estimate import Status
from train.checks.rounds import tolerance_of
from train.checks.steps import compare_steps
from train.config.failure import Failure
from train.main import stop
from train.main.run import Run, say
from train.metrics.recorder import Recorder
from train.metrics.times import process_age_s
from train.model import attention
from train.model.transformer import compute_dtype, flops_per_token
from train.report import with_steps
from train.train import Loop, Progress


def choose_attention(run: Run, mesh: jax.sharding.Mesh) -> str:
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


def train(run: Run, loop: Loop, progress: Progress, checkpoints: Checkpoints | None) -> None:
    """Take the steps that are left; the verdict fills up on the way."""
    config = run.job.config
    run.enter("training")
    run.times = loop.times
    folder = config.metrics_folder if run.job.first else ""
    recorder = Recorder(folder, run.job, flops_per_token(config.model), say, after=progress.step)
    with closing(recorder):
        while progress.step < config.steps:
            with run.watchdog.limit(config.step_timeout_s, f"step {progress.step + 1}"):
                _take(run, loop, progress, recorder)
                run.training = True  # not before: the first step compiles, for longer than SIGTERM leaves time
                if checkpoints and progress.step % config.checkpoint_every == 0 and progress.step < config.steps:
                    checkpoints.save(loop.mark(progress), progress.state)
                who = stop.asked_to_stop(run, progress.step)
            if who:
                _save_last(run, loop, progress, checkpoints)
                stop.end(run, who, is_saved=checkpoints is not None)
    _save_last(run, loop, progress, checkpoints)


def _take(run: Run, loop: Loop, progress: Progress, recorder: Recorder) -> None:
    """One step, and note it; raises :class:`Failure` where it was the last of too many that changed nothing."""
    loss = loop.advance(progress)
    _note(run, loop, progress, loss)
    recorder.step(progress.step, loss, loop.times, progress.skipped)
    if progress.given_up:
        raise Failure(progress.given_up)


def _note(run: Run, loop: Loop, progress: Progress, loss: float) -> None:
    first_s = run.verdict.first_step_s
    is_first = first_s is None
    first_s = process_age_s() if first_s is None else first_s
    run.track.add(progress.step, loss, loop.times)
    run.verdict = replace(run.verdict, steps=progress.step, skipped_steps=progress.skipped, first_step_s=first_s)
    if progress.step % run.job.config.log_every == 0 or is_first:
        after = f", {first_s:.2f} s after the process started" if is_first else ""
        skipped = f", {progress.skipped} steps skipped" if progress.skipped else ""
        say(f"step {progress.step}: loss {loss:.4f}, {loop.times.tokens_per_s():,.0f} tokens/s{skipped}{after}")


def _save_last(run: Run, loop: Loop, progress: Progress, checkpoints: Checkpoints | None) -> None:
    """Every process writes what it has, and waits for the others."""
    if checkpoints is None:
        return
    run.heartbeat.at("the last checkpoint")
    config = run.job.config
    # The checkpoint has its own limit and then names whose part did not come, which is worth a moment more.
    with run.watchdog.limit(config.checkpoint_timeout_s + config.step_timeout_s, "the last checkpoint"):
        where = checkpoints.save_last(loop.mark(progress), progress.state)
        where = run.peers.exchange("train/saved", where)[0]
    run.verdict = replace(run.verdict, checkpoint=where)


def judge_steps(run: Run, loop: Loop) -> None:
    """What the training itself says of who is slow; raises :class:`Failure` where that must end the job."""
    if not run.verdict.node_checks:
        return
    effects = compare_steps(run.peers, loop.times.own_s, tolerance_of(run.job, jax.default_backend()))
    run.verdict = with_steps(run.verdict, effects)
    if run.job.is_strict and run.verdict.health != Status.PASS:
        raise Failure(run.verdict.health_reason, of_all=True)
