"""A smoke test from start to verdict: devices, a collective, training with checkpoints, one line of JSON."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import jax

from train import checks, parallel
from train.checkpoint import Checkpoints, Manifest, open_store
from train.config import Failure, Job, load
from train.data import Corpus, read_corpus
from train.report import Verdict, deliver, judge_loss, leave_reason, now
from train.train import Loop, Progress, Trainer, fresh, host_state


def say(text: str) -> None:
    """One line of progress, on stderr: stdout carries the verdict alone."""
    os.write(2, f"train: {text}\n".encode())


@dataclass
class Run:
    """One process's part of a job; ``verdict`` fills up as facts become known."""

    job: Job
    environ: Mapping[str, str]
    verdict: Verdict
    stopping: bool = False
    phase: str = "starting"
    watchdog: parallel.Watchdog = field(init=False)

    def __post_init__(self) -> None:
        self.watchdog = parallel.Watchdog(self.fail)

    def enter(self, phase: str) -> None:
        """Name what is being done, in the log and for the case that the process dies in it."""
        self.phase = phase
        say(f"{phase} (process {self.job.index} of {self.job.processes} on {self.job.node})")
        leave_reason(f"the process ended without a verdict while {phase}", self.environ)

    def fail(self, reason: str) -> None:
        say(f"FAIL: {reason}")
        self.finish(replace(self.verdict, passed=False, reason=reason))

    def finish(self, verdict: Verdict) -> bool:
        """Report; only process 0 stores the verdict."""
        uri = self.job.config.verdict_uri if self.job.first else ""
        return deliver(replace(verdict, finished_at=now()), uri, self.environ).passed

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Run the job that the environment describes; returns the exit status: 0 passed, 1 failed."""
    started_at = now()
    try:
        job = load(environ)
    except Failure as failure:
        say(f"FAIL: {failure}")
        deliver(Verdict(False, str(failure), environ.get("JOB_NAME", ""), started_at=started_at), "", environ)
        return 1
    run = Run(job, environ, Verdict(False, "", job.name, processes=job.processes, started_at=started_at))
    signal.signal(signal.SIGTERM, run.on_signal)
    try:
        return 0 if run.finish(_run(run)) else 1
    except Failure as failure:
        run.fail(str(failure))
        if failure.shared:
            _leave(run)
    except Exception as error:  # a peer that died shows as one of many runtime errors of the backend
        first_line = next(iter(str(error).splitlines()), "")
        run.fail(f"{run.phase} failed at process {job.index}: {type(error).__name__}: {first_line[:300]}")
    return 1


def _run(run: Run) -> Verdict:
    job, config = run.job, run.job.config
    _use_cache(config.compilation_cache or run.environ.get("JAX_COMPILATION_CACHE_DIR", ""))
    run.enter("waiting for all processes")
    at = f"{job.processes} processes at {job.coordinator}" if job.processes > 1 else "this machine's devices"
    with run.watchdog.limit(config.startup_timeout_s, f"waiting for {at}"):
        parallel.connect(job)
        mesh = parallel.make_mesh()
    with run.watchdog.limit(config.step_timeout_s, "checking devices and the all-reduce"):
        corpus = _check(run, mesh)
    with run.watchdog.limit(2 * config.step_timeout_s, "compiling and loading the checkpoint"):
        run.enter("loading")
        trainer = Trainer(config, mesh)
        loop = Loop(job, trainer, corpus)
        checkpoints = parallel.on_first(job, lambda: _open_checkpoints(job))
        progress = _start(run, trainer, loop, checkpoints, config.training_digest(corpus.digest))
    _train(run, loop, progress, checkpoints, config.training_digest(corpus.digest))
    with run.watchdog.limit(config.step_timeout_s, "the last evaluation"):
        run.verdict = replace(run.verdict, loss_last=loop.validation_loss(progress.state))
        _leave(run)
    return judge_loss(run.verdict, config.min_loss_drop)


def _use_cache(folder: str) -> None:
    """Keep compiled programs where a writable folder is given, however quick they were to compile."""
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError:
        say(f"compilation cache {folder} is not writable: compiling anew")
        return
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def _check(run: Run, mesh: jax.sharding.Mesh) -> Corpus:
    """Devices, text and one collective, each with its own sentence when it fails."""
    job = run.job
    run.enter("checking devices")
    parallel.share_failure(job, lambda: checks.check_devices(job))
    checks.check_processes(job, mesh)
    corpus = parallel.share_failure(job, lambda: read_corpus(job.config.corpus_bytes))
    facts = parallel.gather_texts(f"{corpus.digest} {job.node}")
    digests = {fact.split(" ", 1)[0] for fact in facts}
    if len(digests) > 1:
        raise Failure("the processes hold different text: their images carry different Pythons", shared=True)
    run.enter("adding up over all devices")
    seconds = parallel.share_failure(job, lambda: checks.time_all_reduce(mesh))
    say(f"{mesh.devices.size} devices, all-reduce of 4 MiB in {1e3 * seconds:.1f} ms")
    run.verdict = replace(
        run.verdict,
        devices=int(mesh.devices.size),
        device_kind=jax.devices()[0].device_kind,
        nodes=tuple(fact.split(" ", 1)[1] for fact in facts),
        collective_time_s=seconds,
    )
    return corpus


def _open_checkpoints(job: Job) -> Checkpoints | None:
    uri = job.config.checkpoint_uri
    return Checkpoints(open_store(uri), job.config.keep_checkpoints, say) if uri else None


def _start(run: Run, trainer: Trainer, loop: Loop, checkpoints: Checkpoints | None, training: str) -> Progress:
    """From the newest checkpoint of an unfinished training, else from the beginning.

    Process 0 reads and every process gets its bytes, so that they cannot start from different steps.
    """
    progress = fresh(trainer, loop)
    run.verdict = replace(run.verdict, loss_first=progress.loss_first)
    like = host_state(progress.state)
    found = parallel.on_first(run.job, lambda: checkpoints.restore(like, training) if checkpoints else None)
    # Two int32 halves: JAX has no 64-bit integers by default.
    where = (0, 0) if found is None else (found[0].step, found[0].cursor)
    step, cursor = (int(number) for number in parallel.broadcast(run.job, _halves(*where)).reshape(2, 2) @ (2**31, 1))
    if step >= run.job.config.steps:
        say(f"the training of {step} steps is complete: a test run again proves it again, from the beginning")
        return progress
    if step == 0:
        return progress
    state = parallel.broadcast(run.job, like if found is None else found[1])
    say(f"resumed from the checkpoint of step {step}")
    run.verdict = replace(run.verdict, resumed_from_step=step)
    return Progress(trainer.place(state), step, cursor, progress.loss_first)


def _halves(*numbers: int):  # noqa: ANN202
    import numpy as np

    return np.array([divmod(number, 2**31) for number in numbers], np.int32)


def _train(run: Run, loop: Loop, progress: Progress, checkpoints: Checkpoints | None, training: str) -> None:
    config = run.job.config

    def save() -> None:
        def write() -> str | None:
            if checkpoints is None:
                return None
            manifest = Manifest(progress.step, progress.cursor, progress.loss_first, training)
            return checkpoints.save(manifest, host_state(progress.state))

        where = parallel.on_first(run.job, write)
        run.verdict = replace(run.verdict, checkpoint=where or run.verdict.checkpoint)

    run.enter("training")
    while progress.step < config.steps:
        with run.watchdog.limit(config.step_timeout_s, f"step {progress.step + 1}"):
            loss = loop.advance(progress)
            _note(run, loop, progress, loss)
            if config.checkpoint_uri and (progress.step % config.checkpoint_every == 0 or progress.step == config.steps):
                save()
        if run.stopping:
            _stop(run, checkpoints, progress, training)


def _note(run: Run, loop: Loop, progress: Progress, loss: float) -> None:
    times = loop.times
    run.verdict = replace(
        run.verdict,
        steps=progress.step,
        tokens_per_s=times.tokens_per_s(),
        step_time_p50_s=times.percentile_s(50),
        step_time_p95_s=times.percentile_s(95),
    )
    if progress.step % run.job.config.log_every == 0 or progress.step == 1:
        say(f"step {progress.step}: loss {loss:.4f}, {times.tokens_per_s():,.0f} tokens/s")


def _stop(run: Run, checkpoints: Checkpoints | None, progress: Progress, training: str) -> None:
    """Told to end: process 0 saves on its own, for the others may be gone already."""
    saved = "nothing saved"
    if checkpoints is not None:
        manifest = Manifest(progress.step, progress.cursor, progress.loss_first, training)
        where = checkpoints.save(manifest, host_state(progress.state))
        run.verdict = replace(run.verdict, checkpoint=where)
        saved = f"saved as {where}"
    raise Failure(f"stopped by SIGTERM after step {progress.step}, {saved}")


def _leave(run: Run) -> None:
    """Part from the others in good order."""
    sys.stdout.flush()
    parallel.disconnect(run.job)
