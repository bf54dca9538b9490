"""scikit-learn; to be imported before any module that imports it at its top."""

from __future__ import annotations

from graphopt._loading import load_whole

load_whole("sklearn.base")
