"""A smoke test from start to verdict: devices, a collective, training with checkpoints, one line of JSON."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import jax

from train import attention, gate, parallel
from train.arrays import Damaged
from train.checkpoint import Checkpoints, Policy, Writer
from train.checks import collectives, devices
from train.checks.estimate import Status
from train.checks.health import Health
from train.checks.run import run as run_checks
from train.checks.steps import compare_steps
from train.config import Failure, Job, load
from train.data import Corpus, open_corpus
from train.heartbeat import Heartbeat
from train.metrics import Recorder, Track, process_age_s
from train.model import compute_dtype, flops_per_token
from train.report import (
    Series,
    Setup,
    Verdict,
    deliver,
    judge_loss,
    leave_reason,
    now,
    of_workers,
    with_health,
    with_steps,
)
from train.store import open_store
from train.train import Loop, Progress, State, Trainer


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
    track: Track = field(default_factory=Track)
    own_s: tuple[tuple[float | None, ...], ...] = ()
    peers: parallel.Peers = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    watchdog: parallel.Watchdog = field(init=False)
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.peers = parallel.Peers(self.job)
        self.heartbeat = Heartbeat(self.job, self.peers)
        self.watchdog = parallel.Watchdog(self.fail, self.heartbeat.missing)

    def enter(self, phase: str) -> None:
        """Name what is being done, in the log and for the case that the process dies in it."""
        self.phase = phase
        self.heartbeat.at(phase)
        say(f"{phase} (process {self.job.index} of {self.job.processes} on {self.job.node})")
        leave_reason(f"the process ended without a verdict while {phase}", self.environ)

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Within the block ``what`` is done; a hang of it ends the process."""
        self.enter(what)
        with self.watchdog.limit(self.job.config.step_timeout_s, what):
            yield

    def fail(self, reason: str, *, of_all: bool = False) -> None:
        """Tell the others, report, and see them off. Only the first failure of a process is heard.

        The reason is this process's, unless it is ``of_all``.
        """
        self._ending.acquire()  # never released: whoever comes second waits for the process to end
        own = f"process {self.job.index}: {reason}" if self.job.processes > 1 and not of_all else reason
        self.peers.announce(own)
        self.report(own)

    def fail_with_peer(self, reason: str) -> None:
        """Another process failed: report its reason and end, whatever the main thread waits for."""
        self._ending.acquire()
        self.report(reason)
        os._exit(1)

    def report(self, reason: str) -> None:
        """The verdict of a failed run."""
        say(f"FAIL: {reason}")
        self.finish(replace(self.verdict, passed=False, reason=reason))
        self.peers.see_off()

    def finish(self, verdict: Verdict) -> bool:
        """Deliver the verdict; only process 0 stores it."""
        uri = self.job.config.verdict_uri if self.job.first else ""
        return deliver(replace(verdict, finished_at=now(), series=self._series()), uri, self.environ).passed

    def _series(self) -> Series | None:
        """The curves; of a training that ended early only this worker's, for the others were not asked."""
        track, nodes = self.track, self.verdict.nodes
        if not track.steps:
            return None
        workers = of_workers(nodes, self.own_s) if self.own_s else of_workers([self.job.node], [track.own_s])
        return Series(track.steps, track.losses, track.seconds, workers)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """SIGTERM: end at the next step."""
        self.stopping = True


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
        checkpoints = _open_checkpoints(run, config.training_digest(corpus.digest, loop.batch_rows))
        progress = _start(run, trainer, loop, checkpoints)
    run.verdict = replace(run.verdict, attention=trainer.attention)
    _train(run, loop, progress, checkpoints)
    with run.watchdog.limit(config.step_timeout_s, "the last evaluation"):
        everyone = run.peers.gather("train/curves", json.dumps(run.track.own_s))
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


def _open_checkpoints(run: Run, training: str) -> Checkpoints | None:
    job, config = run.job, run.job.config
    if not config.checkpoint_uri:
        return None
    policy = Policy(config.keep_checkpoints, config.keep_every, config.read_back, config.checkpoint_timeout_s)
    writer = Writer(job.index, job.processes, run.peers.from_first("train/attempt", now))
    return Checkpoints(open_store(config.checkpoint_uri), training, say, policy, writer)


def _start(run: Run, trainer: Trainer, loop: Loop, checkpoints: Checkpoints | None) -> Progress:
    """From the newest checkpoint of an unfinished training, else from the beginning."""
    initial = trainer.initial()
    progress = Progress(trainer.place(initial))
    run.verdict = replace(run.verdict, loss_first=loop.validation_loss(progress.state))
    if checkpoints is None:
        return progress
    # Process 0 chooses the step, for two processes may see a different newest one.
    step = int(run.peers.from_first("train/resume", lambda: str(_step_to_resume(run.job, checkpoints, initial))))
    if step == 0:
        return progress
    try:
        manifest, state = checkpoints.read(step, initial)
    except Damaged as error:
        raise Failure(f"the checkpoint of step {step} is damaged for this process only: {error}") from None
    progress = Progress(trainer.place(state), step, manifest.cursor)
    goes_on = gate.check(manifest, progress.state, progress.cursor, loop.next_rows(progress.cursor), trainer.topology)
    say(f"resumed from the checkpoint of step {step}; it goes on {goes_on}")
    run.verdict = replace(run.verdict, resumed_from_step=step)
    return progress


def _step_to_resume(job: Job, checkpoints: Checkpoints, like: State) -> int:
    """The step of the newest good checkpoint; 0 to begin."""
    found = checkpoints.newest(like)
    if found is None:
        return 0
    step = found[0].step
    if step >= job.config.steps:
        say(f"the training of {step} steps is complete: it is done again from the beginning, to prove it again")
        return 0
    return step


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
