"""Where a training begins: at the newest good checkpoint of an unfinished one, past the gate, or at step 0."""

from __future__ import annotations

from dataclasses import replace

from train.checkpoint import gate
from train.checkpoint.arrays import Damaged
from train.checkpoint.checkpoints import Checkpoints, Policy, Writer
from train.checkpoint.store import open_store
from train.config.failure import Failure
from train.config.job import Job
from train.main.run import Run, say
from train.report import now
from train.train import Loop, Progress, State, Trainer


def open_checkpoints(run: Run, training: str) -> Checkpoints | None:
    """The checkpoints of ``training``, a digest of what makes it; None where the job keeps none."""
    job, config = run.job, run.job.config
    if not config.checkpoint_uri:
        return None
    policy = Policy(config.keep_checkpoints, config.keep_every, config.read_back, config.checkpoint_timeout_s)
    writer = Writer(job.index, job.processes, run.peers.from_first("train/attempt", now))
    return Checkpoints(open_store(config.checkpoint_uri), training, say, policy, writer)


def start(run: Run, trainer: Trainer, loop: Loop, checkpoints: Checkpoints | None) -> Progress:
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
