"""Markers of what is generated in a page, and the numbers that have none.

A number is followed by a comment that says where it comes from, a call with constant arguments::

    0.694<!--= cell("1", "decide", "learning", "cora") -->

A generated part stands between two comments, each on a line of its own::

    <!-- begin: race() -->
    <!-- end -->

Neither is seen when the page is rendered.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Source = Callable[..., str]
"""Returns the text of a number, or the Markdown of a part of a page."""

_NUMBER = re.compile(r"(?P<text>[-−+]?[\d.,]*\d)<!--= *(?P<call>.+?) *-->", re.S)
_PART = re.compile(
    r"(?P<begin><!-- begin: (?P<call>.+?) -->\n)(?P<text>.*?)(?P<end><!-- end -->)", re.S
)
_UNMARKED = re.compile(r"\d[\d.,]*")
_NOT_PROSE = (
    re.compile(r"^```.*?^```", re.M | re.S),  # code
    _PART,
    _NUMBER,
    re.compile(r"`[^`]*`"),
    re.compile(r"<!--.*?-->", re.S),
    re.compile(r"(?<=\])\([^)]*\)"),  # where a link leads
)


def regenerated(page: str, sources: Mapping[str, Source]) -> str:
    """Return a page with every marked number and part as its source gives it now.

    Raises
    ------
    ValueError
        For a marker that is not a call of a source with constant arguments, or a source that does
        not give a number where one is marked.
    """

    def number(found: re.Match[str]) -> str:
        text = called(found["call"], sources)
        whole = text + found[0][len(found["text"]) :]
        if _NUMBER.fullmatch(whole) is None:
            raise ValueError(f"{found['call']} gives {text!r}, which is no number")
        return whole

    def part(found: re.Match[str]) -> str:
        return found["begin"] + called(found["call"], sources).rstrip("\n") + "\n" + found["end"]

    return _PART.sub(part, _NUMBER.sub(number, page))


def called(call: str, sources: Mapping[str, Source]) -> str:
    """Return what the source that a marker names gives for the marker's arguments."""
    try:
        node = ast.parse(" ".join(call.split()), mode="eval").body  # lines may be broken
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            raise ValueError("not a call")
        source = sources[node.func.id]
        arguments: list[Any] = [ast.literal_eval(argument) for argument in node.args]
        named = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    except (SyntaxError, ValueError, KeyError) as error:
        raise ValueError(f"{call!r} must call a source with constants: {error}") from error
    return source(*arguments, **named)


def unmarked_numbers(page: str, allowed: re.Pattern[str]) -> Iterator[str]:
    """Yield the numbers in a page's prose that have no source, each with the words around it.

    Parameters
    ----------
    page : str
    allowed : pattern
        Of phrases whose numbers are not results: versions, years, names of tables, settings.
    """
    for pattern in (*_NOT_PROSE, allowed):
        page = pattern.sub(" ", page)
    for found in _UNMARKED.finditer(page):
        around = page[max(0, found.start() - 40) : found.end() + 20]
        yield f"{found[0]} in {' '.join(around.split())!r}"
