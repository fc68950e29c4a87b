"""``python -m lessons``: choose a lesson, run it, print what it teaches."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lessons.errors import LessonError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 taught, 1 the data or a file is not usable, 2 wrong usage, 130 interrupted."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except LessonError as problem:
        print(problem, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read along has seen enough; nothing must be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m lessons", description="Choose a lesson; it runs, and prints what it teaches."
    )
    lessons = parser.add_subparsers(title="lessons", required=True, metavar="LESSON")
    fundamentals = lessons.add_parser(
        "fundamentals", help="losses, gradients, descent, and a network that reads digits"
    )
    fundamentals.set_defaults(run=_fundamentals)
    compress = lessons.add_parser("compress", help="smaller networks: what each way costs in size, speed and accuracy")
    compress.set_defaults(run=_compress)
    for lesson in (fundamentals, compress):
        lesson.add_argument(
            "--data", type=Path, help="folder with MNIST's four IDX files; without: scikit-learn's digits"
        )
        lesson.add_argument("--seed", type=_seed, default=0, help="of the split, the first weights and the order (0)")
        lesson.add_argument("--epochs", type=_positive, help="passes over the data; without: enough for it")
    transfer = lessons.add_parser("transfer", help="a ResNet-50 fine-tuned on images of one's own")
    transfer.set_defaults(run=_transfer)
    transfer.add_argument("--data", type=Path, help="folder with train/<class>/ and val/<class>/; without: photographs")
    transfer.add_argument(
        "--weights", type=Path, help="ResNet-50's, as .pth, .safetensors or .npz; without: random ones"
    )
    transfer.add_argument("--frozen", type=int, choices=range(6), default=4, help="parts that stay as they are (4)")
    transfer.add_argument(
        "--size", type=_positive, default=64, help="pixels of an image's side; ImageNet's is 224 (64)"
    )
    transfer.add_argument("--epochs", type=_positive, default=5, help="passes over the data (5)")
    transfer.add_argument("--seed", type=_seed, default=0, help="of the order, the augmentation and new weights (0)")
    transfer.add_argument("--logs", type=Path, help="folder for TensorBoard's event files; without: none")
    fundamentals.add_argument("--logs", type=Path, help="folder for TensorBoard's event files; without: none")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _seed(text: str) -> int:
    """JAX takes the lowest 32 bits of a seed, and none beyond 64: others would be seeds that are there already."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**32 - 1}")
    return int(text)


# Each lesson is imported when it is chosen: JAX alone takes a second, and `--help` needs none of it.


def _fundamentals(chosen: argparse.Namespace) -> None:
    from lessons.fundamentals.lesson import teach

    teach(chosen.data, chosen.logs, chosen.epochs, chosen.seed)


def _compress(chosen: argparse.Namespace) -> None:
    from lessons.compress.lesson import teach

    teach(chosen.data, chosen.epochs, chosen.seed)


def _transfer(chosen: argparse.Namespace) -> None:
    from lessons.transfer.lesson import Plan, teach

    plan = Plan(epochs=chosen.epochs, frozen=chosen.frozen, side=chosen.size, seed=chosen.seed)
    teach(chosen.data, chosen.weights, chosen.logs, plan)


if __name__ == "__main__":
    sys.exit(main())
