"""The pipeline of training data as one writes it who has an afternoon: one process, one document after another.

``python -m benchmarks.plain_etl CONFIG.json TOKENIZER.json`` prints its seconds as JSON. The rules of cleaning and
the tokeniser are the pipeline's own, so that the work is the same; the near duplicates are datasketch's.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH
from etl.clean import Dropped, decode, judge, normalise
from etl.config import EtlConfig, NearDuplicates, parse
from tokenizers import Tokenizer


def main(config: str, tokenizer_file: str) -> dict[str, Any]:
    """Clean, deduplicate, tokenise and write, document by document."""
    settings, tokenizer = parse(Path(config).read_text(), config), Tokenizer.from_file(tokenizer_file)
    end, output = tokenizer.token_to_id("<|endoftext|>"), Path(settings.output)
    output.mkdir()
    began = time.perf_counter()
    tokens: list[int] = []
    shards = kept = 0
    for text in without_duplicates(texts(settings), settings.near_duplicates):
        kept += 1
        tokens += [*tokenizer.encode(text, add_special_tokens=False).ids, end]
        while len(tokens) >= settings.shard_tokens:
            write(output / f"{shards:05}.bin", tokens[: settings.shard_tokens])
            del tokens[: settings.shard_tokens]
            shards += 1
    write(output / f"{shards:05}.bin", tokens)
    return {"seconds": time.perf_counter() - began, "documents_kept": kept}


def texts(settings: EtlConfig) -> Iterator[str]:
    """What passes the rules."""
    with Path(settings.sources[0]).open("rb") as lines:
        for line in lines:
            try:
                text = normalise(decode(line.rstrip(b"\n"), True, settings.text_field))
                judge(text, settings.clean)
                yield text
            except Dropped:
                continue


def without_duplicates(found: Iterable[str], near: NearDuplicates) -> Iterator[str]:
    """The first of those that are the same, or nearly."""
    lsh = MinHashLSH(num_perm=near.bands * near.rows, params=(near.bands, near.rows))
    seen: set[str] = set()
    signatures: dict[Any, MinHash] = {}
    for text in found:
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest in seen:
            continue
        words, size = re.findall(r"\w+", text.lower()), near.shingle_words
        signature = MinHash(num_perm=near.bands * near.rows)
        signature.update_batch(
            [" ".join(words[at : at + size]).encode() for at in range(max(1, len(words) - size + 1))]
        )
        if any(signature.jaccard(signatures[other]) >= near.threshold for other in lsh.query(signature)):
            continue
        seen.add(digest)
        lsh.insert(len(signatures), signature)
        signatures[len(signatures)] = signature
        yield text


def write(path: Path, tokens: list[int]) -> None:
    """The tokens, and their digest beside them."""
    data = np.array(tokens, np.uint16).tobytes()
    path.write_bytes(data)
    path.with_suffix(".sha256").write_text(hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
