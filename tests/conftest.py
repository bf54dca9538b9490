"""Settings for all tests."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# Tests run in importlib mode, which leaves sys.path alone; `helpers` is shared by all of them.
sys.path.insert(0, str(Path(__file__).parent))

# On a busy machine everything is slow, which is no fault of what is tested.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")
