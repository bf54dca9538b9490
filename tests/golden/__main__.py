"""Store the bits of what public functions return, and compare them later.

    python -m tests.golden store FILE [PART]     python -m tests.golden compare FILE [PART]

The bits depend on the instruction set and on the versions of NumPy, SciPy, igraph and PyTorch, so a
file is good for one machine. PART: the start of the keys to look at.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.outputs import outputs


def bits(thing: Any) -> bytes:
    """Return the bits of a result: arrays, numbers, texts, and containers and objects of them."""
    if hasattr(thing, "detach"):
        thing = thing.detach().numpy()
    if isinstance(thing, np.ndarray | np.generic):
        return f"{thing.dtype}{thing.shape}".encode() + np.ascontiguousarray(thing).tobytes()
    if isinstance(thing, tuple | list):
        return b"(" + b",".join(bits(part) for part in thing) + b")"
    if isinstance(thing, dict):
        return bits([part for pair in sorted(thing.items(), key=str) for part in pair])
    if hasattr(thing, "indptr"):
        return bits(
            [
                np.asarray(thing.indptr),
                thing.indices,
                getattr(thing, "weights", None),
                getattr(thing, "data", None),
            ]
        )
    return repr(thing).encode()


def main(command: str, file: str, part: str = "") -> int:
    """Store or compare; 1 if something differs."""
    warnings.simplefilter("ignore")
    found: dict[str, str] = {}
    for key, call in outputs():
        if not key.startswith(part):
            continue
        try:
            result = call()
        except Exception as error:  # an error is a result, too
            result = f"{type(error).__name__}: {error}"
            print("raised", key, result)
        found[key] = hashlib.sha256(bits(result)).hexdigest()[:16]
    if command == "store":
        Path(file).write_text(json.dumps(found, indent=1) + "\n")
        print(f"{len(found)} outputs stored")
        return 0
    known = {k: v for k, v in json.loads(Path(file).read_text()).items() if k.startswith(part)}
    other = [key for key in known if found.get(key) != known[key]]
    for key in other:
        print("differs" if key in found else "is gone", key)
    print(f"{len(known) - len(other)} of {len(known)} outputs are the same")
    return int(bool(other))


sys.exit(main(*sys.argv[1:]))
