"""The shards that the pipeline writes are the text that the job trains on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from etl.config import EtlConfig
from etl.pipeline import run
from etl.shards import unpack
from train.config.failure import Failure
from train.config.settings import ModelConfig, TrainConfig
from train.data.batches import Batches, open_corpus, validation_rows
from train.data.shards import Tokens

from tests.workloads.conftest import SMALL, Launcher
from tests.workloads.etl.conftest import text_of

AGAIN = "python -m etl run, with the same configuration, makes it again"
DAMAGED = "is damaged, for its SHA-256 is not the one in manifest.json"


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("etl")
    (folder / "a.jsonl").write_text("\n".join(json.dumps({"text": text_of(seed)}) for seed in range(40)))
    sources, output = (str(folder / "a.jsonl"),), str(folder / "out")
    run(EtlConfig(sources=sources, output=output, vocabulary=300, shard_tokens=3000, workers=1), lambda _: None)
    return folder / "out"


def config(uri: str, vocabulary: int = 300) -> TrainConfig:
    return TrainConfig(model=ModelConfig(vocabulary=vocabulary), corpus_uri=uri)


def stream(folder: Path) -> np.ndarray:
    return np.concatenate([unpack(path.read_bytes()).tokens for path in sorted(folder.glob("*.bin"))])


def test_an_epoch_draws_every_token_of_all_shards_once_and_never_what_is_held_out(shards: Path) -> None:
    corpus, tokens = open_corpus(config(str(shards))), stream(shards)
    assert len(corpus.train) + len(corpus.validation) == len(tokens) > 9000
    batches = Batches(corpus.train, context=64, batch_size=1, seed=0)
    rows = np.concatenate([batches.rows(cursor, slice(None)) for cursor in range(len(batches))])
    assert rows.shape == (len(batches), 65)
    in_order = rows[np.argsort([batches.indices(cursor)[0] for cursor in range(len(batches))])]
    np.testing.assert_array_equal(in_order[:, :-1].ravel(), tokens[: 64 * len(batches)])
    np.testing.assert_array_equal(validation_rows(corpus.validation, 64)[-1], tokens[-65:])
    np.testing.assert_array_equal(validation_rows(corpus.validation, 64)[0], tokens[len(corpus.train) :][:65])


def test_positions_across_shards_are_those_of_one_array() -> None:
    arrays = [np.arange(5, dtype=np.uint16), np.arange(5, 6, dtype=np.uint16), np.arange(6, 20, dtype=np.uint16)]
    positions = np.random.default_rng(0).integers(0, 17, (4, 6))
    np.testing.assert_array_equal(Tokens(arrays, 3)[positions], positions + 3)
    assert (len(Tokens(arrays)), len(Tokens(arrays, 3)), len(Tokens(arrays, 3, 4))) == (20, 17, 4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"manifest.json": None}, "has no manifest.json: its run is not finished, or corpus_uri is wrong"),
        ({"manifest.json": b"{}"}, rf"manifest.json cannot be used \(KeyError\): {AGAIN}"),
        ({"tokens-00001.bin": None}, f"^cannot read [^ ]*/tokens-00001.bin: No such file or directory: {AGAIN}$"),
        ({"tokens-00001.bin": b""}, f"tokens-00001.bin {DAMAGED}: {AGAIN}$"),
        ({"tokens-00001.bin": b"x" * 20}, f"tokens-00001.bin {DAMAGED}"),
    ],
)
def test_shards_that_are_not_whole_are_refused(
    shards: Path, tmp_path: Path, change: dict[str, bytes | None], sentence: str
) -> None:
    for path in shards.glob("[tm]*"):
        data = change.get(path.name, path.read_bytes())
        if data is not None:
            (tmp_path / path.name).write_bytes(data)
    with pytest.raises(Failure, match=sentence):
        open_corpus(config(str(tmp_path)))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_one_bit_that_flipped_among_the_tokens_of_a_folder_is_not_trained_on(
    shards: Path, tmp_path: Path, scheme: str
) -> None:
    for path in shards.glob("[tm]*"):
        data = bytearray(path.read_bytes())
        if path.name == "tokens-00001.bin":
            data[len(data) // 2] ^= 1
        (tmp_path / path.name).write_bytes(data)
    with pytest.raises(Failure, match=f"^{scheme}{tmp_path}/tokens-00001.bin {DAMAGED}: {AGAIN}$"):
        open_corpus(config(f"{scheme}{tmp_path}"))
    assert len(open_corpus(config(f"{scheme}{tmp_path}").model_copy(update={"verify_corpus": False})).train) > 0


def test_a_vocabulary_that_the_model_does_not_have_is_refused(shards: Path) -> None:
    with pytest.raises(Failure, match=r"a vocabulary of 300: set model.vocabulary to 300 or more"):
        open_corpus(config(str(shards), 256))


@pytest.mark.real
def test_the_job_learns_from_shards_in_a_bucket(shards: Path, jobs: Launcher, bucket: Any) -> None:
    for path in shards.glob("[tm]*"):
        boto3.client("s3").upload_file(str(path), "checkpoints", f"tokens/{path.name}")
    model = {**SMALL["model"], "vocabulary": 300}
    for uri in ("s3://checkpoints/tokens", str(shards)):
        (ended,) = jobs.run({**SMALL, "model": model, "corpus_uri": uri, "min_loss_drop": 0.3, "batch_size": 8})
        assert ended.status == 0, ended.log
        assert 5 < ended.verdict["loss_first"] < 6.5  # nothing known of 300 tokens is ln 300 = 5.7
    boto3.client("s3").put_object(Bucket="checkpoints", Key="tokens/tokens-00001.bin", Body=b"damaged")
    (ended,) = jobs.run({**SMALL, "model": model, "corpus_uri": "s3://checkpoints/tokens"})
    assert ended.reason == f"s3://checkpoints/tokens/tokens-00001.bin {DAMAGED}: {AGAIN}"
    boto3.client("s3").delete_object(Bucket="checkpoints", Key="tokens/tokens-00001.bin")
    with pytest.raises(Failure, match=f"^s3://checkpoints/tokens/tokens-00001.bin is missing: {AGAIN}$"):
        open_corpus(config("s3://checkpoints/tokens"))
