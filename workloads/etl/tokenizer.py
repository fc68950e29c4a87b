"""Byte-level BPE by HuggingFace's tokenizers: every text has tokens, and they give the text back, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from etl.config import Failure

END_OF_TEXT = "<|endoftext|>"  # GPT-2's; stands after each document, and never for these characters in a text
LIBRARY = f"tokenizers {version('tokenizers')}"


def train(texts: Iterable[str], vocabulary: int) -> str:
    """The tokenizer.json of the merges that these texts want; the same for the same texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary, initial_alphabet=alphabet, special_tokens=[END_OF_TEXT], show_progress=False
        ),
    )
    return tokenizer.to_str()


class Encoder:
    """A tokenizer.json at work. Raises :class:`Failure` for one that cannot give text back or lacks END_OF_TEXT."""

    def __init__(self, text: str, where: str = "tokenizer.json") -> None:
        try:
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # the library raises nothing narrower
            raise Failure(f"{where} is no tokenizer.json ({str(error)[:200]}): give one, or none to train") from None
        end = self._tokenizer.token_to_id(END_OF_TEXT)
        if end is None:
            raise Failure(f"{where} has no token {END_OF_TEXT}, which ends a document: give one that has")
        self._tokenizer.encode_special_tokens = True  # a text that spells END_OF_TEXT does not end there
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.end_of_text = int(end)
        self.vocabulary = max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1
        self.dtype = np.dtype(np.uint16 if self.vocabulary <= 1 << 16 else np.uint32)
        self.digest = hashlib.sha256(text.encode()).hexdigest()
        probe = "a  b\n\té😀<|endoftext|>\x00"
        if self.decode(self.encode([probe])[0]) != probe:
            raise Failure(f"{where} does not give text back as it was: give a byte-level one without a normaliser")

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The tokens of each text, without END_OF_TEXT."""
        found = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(one.ids, self.dtype) for one in found]

    def decode(self, tokens: np.ndarray) -> str:
        """The text of some tokens."""
        return self._tokenizer.decode(tokens.tolist(), skip_special_tokens=False)
