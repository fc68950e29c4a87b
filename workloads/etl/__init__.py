"""Raw text to training data: cleaned, deduplicated, tokenised, in checksummed shards with a manifest.

The package imports nothing of the project around it: it runs on a node or a laptop, and what it must know comes as one
JSON (see :mod:`etl.config`). What it writes is described in :mod:`etl.shards` and :mod:`etl.manifest`.
"""
