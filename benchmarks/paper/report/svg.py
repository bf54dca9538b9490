"""What matplotlib draws, as a part of a page that is light by day and dark at night."""

from __future__ import annotations

import io
import re
from typing import Any

from graphopt._optional import require

INK, SOFT, LINE, BAND, OURS, PAPER, CARD, EDGE, FAR = (f"#01020{i}" for i in range(1, 10))
"""Stand for the colors of the page, which differs at night."""
_NAMES = dict(
    zip(
        (INK, SOFT, LINE, BAND, OURS, PAPER, CARD, EDGE, FAR),
        ("ink", "soft", "line", "band", "ours", "paper", "card", "edge", "far"),
        strict=True,
    )
)
TIP, CLASS = "tip: ", "class: "
"""Begin the gid of what shows words under the pointer, and of what has a style on the page."""
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "graphopt", "text.color": INK,
          "font.family": "sans-serif", "path.simplify": False}  # fmt: skip


def pyplot() -> Any:
    """Return matplotlib's pyplot, or raise an error that says how to install it."""
    return require("matplotlib.pyplot", "the report")


def styled() -> Any:
    """Return a context in which figures are drawn for the page."""
    return pyplot().rc_context(_STYLE)


def for_page(figure: Any, attributes: str) -> str:
    """Return a figure as SVG with some attributes; the figure is closed."""
    drawn = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(drawn, format="svg", transparent=True, metadata=nothing)
    pyplot().close(figure)
    svg = drawn.getvalue()
    svg = re.sub(r' clip-path="url\([^)]*\)"', "", svg[svg.index("<svg") :])
    svg = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', rf'<svg {attributes} viewBox="\1">',
                 svg, count=1)  # fmt: skip
    svg = re.sub(f'<g id="{TIP}([^"]*)">', r"<g><title>\1</title>", svg)
    svg = re.sub(f'<g id="{CLASS}([^"]*)">', r'<g class="\1">', svg)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # ids that all drawings have
    svg = re.sub(r' d="[^"]*"', lambda path: _shortened(path[0]), svg)
    for color, name in _NAMES.items():
        svg = svg.replace(color, f"var(--{name})")
    return svg


def _shortened(path: str) -> str:
    """Return a path with one decimal: half of a large drawing are digits that nobody sees."""
    path = re.sub(r"(\.\d)\d+", r"\1", path)
    return re.sub(r"\.0(?!\d)", "", path).replace(" \n", "").replace("\n", "")
