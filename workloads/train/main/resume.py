"""Where a training begins: at the newest good checkpoint of an unfinished one, past the gate, or at step 0."""

from __future__ import annotations

from dataclasses import replace

from train.checkpoint import gate
from train.checkpoint.arrays import Damaged
from train.checkpoint.checkpoints import Checkpoints
from train.checkpoint.manifest import Manifest
from train.checkpoint.store import open_store
from train.checkpoint.writer import Policy, Writer
from train.config.failure import Failure
from train.config.job import Job
from train.main.run import Run, say
from train.report import now
from train.train import Loop, Progress, State, Trainer


def open_checkpoints(run: Run, corpus_digest: str, batch_rows: int) -> Checkpoints | None:
    """The checkpoints of this training on that text, of so many sequences a step; None where the job keeps none."""
    job, config = run.job, run.job.config
    if not config.checkpoint_uri:
        return None
    policy = Policy(config.keep_checkpoints, config.keep_every, config.read_back, config.checkpoint_timeout_s)
    writer = Writer(job.index, job.processes, run.peers.from_first("train/attempt", now), run.peers)
    training, settings = config.training_digest(corpus_digest, batch_rows), config.training_settings(corpus_digest)
    return Checkpoints(open_store(config.checkpoint_uri), training, say, policy, writer, batch_rows, settings)


def begin(run: Run, trainer: Trainer, loop: Loop) -> Progress:
    """At step 0; the verdict has the loss of the untrained model, also where an older training goes on."""
    progress = Progress(trainer.place(trainer.initial()))
    run.verdict = replace(run.verdict, loss_first=loop.validation_loss(progress.state))
    return progress


def resume(run: Run, trainer: Trainer, loop: Loop, checkpoints: Checkpoints) -> Progress | None:
    """After the newest checkpoint of an unfinished training, in which all processes have restored it; None: begin."""
    # Process 0 chooses, for two processes may see a different newest one.
    found = _choose(run.job, checkpoints, trainer.like) if run.job.first else None
    step = int(run.peers.from_first("train/resume", lambda: str(found[0].step if found else 0)))
    if step == 0:
        return None
    try:
        manifest, state = found or checkpoints.read(step, trainer.like)
    except Damaged as error:
        raise Failure(f"the checkpoint of step {step} is damaged for this process only: {error}") from None
    progress = Progress(trainer.place(state), step, manifest.cursor)
    goes_on = gate.check(manifest, progress.state, progress.cursor, loop.next_rows(progress.cursor), trainer.topology)
    run.peers.meet("train/restored")  # within the limit for this: the first step has a shorter one
    say(f"resumed from the checkpoint of step {step}; it goes on {goes_on}")
    checkpoints.after = step
    run.verdict = replace(run.verdict, resumed_from_step=step)
    return progress


def _choose(job: Job, checkpoints: Checkpoints, like: State) -> tuple[Manifest, State] | None:
    """The newest good checkpoint; None to begin."""
    if not job.config.resume:
        checkpoints.pass_over()
        return None
    found = checkpoints.newest(like)
    steps = job.config.steps
    if found and found[0].step >= steps:
        say(f"the training of {steps} steps is complete: it is done again from the beginning, to prove it again")
        return None
    return found
