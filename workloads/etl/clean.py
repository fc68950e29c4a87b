"""Raw bytes to text worth learning from; whatever is dropped has a reason that is counted.

The rules are Gopher's (Rae et al. 2021, appendix A.1: quality and repetition) and C4's placeholder rule (Raffel et al.
2020, section 2.2). Of Gopher's, those on paragraphs and on 5- to 10-grams that occur twice are not here, and the two on
symbols are one: docs/etl.md compares them. C4's on sentence ends and on braces are left out: they drop every table and
all source code.
"""

from __future__ import annotations

import json
import re
import unicodedata

import numpy as np

from etl.config import CleanConfig

STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))  # Gopher's eight
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE_AT_END = re.compile(r"(?<![^\S\n])[^\S\n]+$", re.MULTILINE)  # tried once for each run of blanks
_EMPTY_LINES = re.compile(r"\n{3,}")
_SYMBOLS = re.compile(r"#|\.\.\.|…")
_BULLETS = ("•", "‣", "◦", "●", "-", "*")
_LETTER = re.compile(r"[^\W\d_]")


class Dropped(Exception):
    """Why a document is not kept: one word, the key of a count in the manifest."""


def decode(data: bytes | None, jsonl: bool, field: str) -> str:
    """The text of a raw document; raises :class:`Dropped`."""
    if data is None:
        raise Dropped("too_long")
    try:
        text = data.decode("utf-8-sig")  # a mark at the start of a file is no part of its first line
        if not text.strip():
            raise Dropped("empty")
        if jsonl:
            text = _field(json.loads(text), field)
        text.encode()  # JSON can escape half a surrogate pair, which is no text
    except UnicodeError:
        raise Dropped("not_utf8") from None
    except (ValueError, RecursionError):
        raise Dropped("not_json") from None
    return text


def _field(row: object, field: str) -> str:
    text = row.get(field) if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise Dropped("no_text_field")
    return text


def normalise(text: str) -> str:
    """NFC, one kind of line end, no control characters, no spaces at line ends, at most one empty line at a time."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", _LINE_END.sub("\n", text)))
    return _EMPTY_LINES.sub("\n\n", _SPACE_AT_END.sub("", text)).strip("\n")


def judge(text: str, config: CleanConfig) -> None:
    """Raise :class:`Dropped` for text that breaks a rule, the cheap ones first."""
    if not text.strip():
        raise Dropped("empty")
    if config.enabled:
        words = text.split()
        _judge_words(text, words, config)
        _judge_lines(text, config)
        _judge_ngrams(words, len(text), config)


def _judge_words(text: str, words: list[str], config: CleanConfig) -> None:
    count = len(words)
    if count < config.min_words:
        raise Dropped("too_few_words")
    if count > config.max_words:
        raise Dropped("too_many_words")
    if not config.min_mean_word_length <= sum(map(len, words)) / count <= config.max_mean_word_length:
        raise Dropped("word_length")
    if len(_SYMBOLS.findall(text)) > config.max_symbol_ratio * count:
        raise Dropped("symbols")
    if sum(1 for word in words if word.isalpha() or _LETTER.search(word)) < config.min_alphabetic_words * count:
        raise Dropped("few_letters")
    if config.min_stop_words and len(STOP_WORDS.intersection(map(str.lower, words))) < config.min_stop_words:
        raise Dropped("few_stop_words")
    lower = text.lower()
    if any(placeholder in lower for placeholder in config.placeholders):
        raise Dropped("placeholder")


def _judge_lines(text: str, config: CleanConfig) -> None:
    lines = [line for raw in text.split("\n") if (line := raw.strip())]
    if sum(1 for line in lines if line.startswith(_BULLETS)) > config.max_bullet_lines * len(lines):
        raise Dropped("bullets")
    if sum(1 for line in lines if line.endswith(("…", "..."))) > config.max_ellipsis_lines * len(lines):
        raise Dropped("ellipses")
    distinct = set(lines)
    if len(lines) - len(distinct) > config.max_repeated_lines * len(lines):
        raise Dropped("repeated_lines")
    characters = sum(map(len, lines))
    if characters - sum(map(len, distinct)) > config.max_repeated_line_characters * characters:
        raise Dropped("repeated_lines")


def _judge_ngrams(words: list[str], characters: int, config: CleanConfig) -> None:
    """Share of the characters that the most frequent n-gram of words covers."""
    numbers: dict[str, int] = {}
    ids = np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int64)
    lengths = np.array([len(word) for word in words], np.int64)
    for size, allowed in zip((2, 3, 4), config.max_top_ngrams, strict=True):
        if len(ids) < size:
            return
        grams = _ngrams(ids, size, len(numbers))
        distinct, counts = np.unique(grams, return_counts=True)
        top = counts.argmax()
        if counts[top] > 1:
            start = int((grams == distinct[top]).argmax())
            if counts[top] * lengths[start : start + size].sum() > allowed * characters:
                raise Dropped("repeated_ngrams")


def _ngrams(ids: np.ndarray, size: int, vocabulary: int) -> np.ndarray:
    """A number for each n-gram. 100,000 words cannot overflow two of them; longer ones wrap, and meet by chance."""
    total = ids[: len(ids) - size + 1].copy()
    with np.errstate(over="ignore"):
        for place in range(1, size):
            total = total * (vocabulary + 1) + ids[place : len(ids) - size + 1 + place]
    return total
