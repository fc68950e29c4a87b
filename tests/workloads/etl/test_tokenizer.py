from __future__ import annotations

import json

import numpy as np
import pytest
from etl.config import Failure
from etl.tokenizer import END_OF_TEXT, Encoder, train
from hypothesis import given
from hypothesis import strategies as st

from .conftest import text_of

TRAINED = train([text_of(seed) for seed in range(20)], 500)
ENCODER = Encoder(TRAINED)


@given(st.text() | st.sampled_from([END_OF_TEXT, "a\x00\r\n ", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 ﷽", " " * 50]).map(lambda text: text * 2))
def test_every_text_comes_back_from_its_tokens(text: str) -> None:
    tokens = ENCODER.encode([text])[0]
    assert ENCODER.decode(tokens) == text
    assert ENCODER.end_of_text not in tokens


def test_the_same_texts_train_the_same_tokenizer() -> None:
    assert train([text_of(seed) for seed in range(20)], 500) == TRAINED


def test_it_learned_the_language() -> None:
    text = text_of(99)
    assert len(ENCODER.encode([text])[0]) < 0.75 * len(text)
    assert ENCODER.vocabulary == 500


def test_tokens_are_as_small_as_the_vocabulary_allows() -> None:
    large = json.loads(TRAINED)
    large["model"]["vocab"].update({f"<far{number}>": 500 + number for number in range(70_000)})
    assert ENCODER.encode(["x"])[0].dtype == np.uint16
    assert Encoder(json.dumps(large)).encode(["x"])[0].dtype == np.uint32


def test_what_cannot_give_text_back_or_end_a_document_is_refused() -> None:
    with pytest.raises(Failure, match=r"t.json is no tokenizer.json .*: give one"):
        Encoder("{}", "t.json")
    with pytest.raises(Failure, match=r"t.json has no token <\|endoftext\|>"):
        Encoder(TRAINED.replace(END_OF_TEXT, "<other>"), "t.json")
    composing = json.loads(TRAINED) | {"normalizer": {"type": "NFD"}}
    with pytest.raises(Failure, match=r"t.json does not give text back as it was"):
        Encoder(json.dumps(composing), "t.json")
