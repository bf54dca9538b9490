"""Settings for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# On a busy machine everything is slow, which is not the fault of what is tested.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")
