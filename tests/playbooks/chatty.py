"""A supervised child that says much more on its standard error than a pipe holds."""

from __future__ import annotations

import sys

from playbooks.supervision import Supervised

if __name__ == "__main__":
    supervised = Supervised()
    with supervised as (request, _):
        sys.stderr.write("warning\n" * request["lines"])
        supervised.emit(event="worked")
        sys.stderr.write("the last words")
