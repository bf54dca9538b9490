"""What threads of GNU's OpenMP do between two pieces of work; to be imported before it is loaded.

By default they spin for milliseconds. Where other processes want the same processors, that takes
the time that these, and the other threads of this process, need: on two busy cores training took 5
to 20 times as long. Spinning a hundredth of that costs next to nothing where the machine is idle.
"""

from __future__ import annotations

import os

_SPINS = "3000"  # some tens of microseconds

# The runtime reads it once, when it is loaded: after that it cannot be told.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = _SPINS
