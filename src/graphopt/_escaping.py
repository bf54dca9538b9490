"""Foreign text (labels, names, errors) as each format of output must write it.

One function for each format; whoever writes a name that came from outside calls it.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping, Sequence

from graphopt._loading import load_whole

LONGEST = 200
"""Characters of foreign text that a message shows."""

# Control characters, surrogates, separators of lines, and marks that reverse the text after them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_UNSEEN_IN_LINES = re.compile(_UNSEEN.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_MARKDOWN = re.compile(r"([\\`*<>&\[\]|~$]|(?<![^\W_])_|_(?![^\W_]))")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def for_terminal(text: object, *, lines: bool = False) -> str:
    r"""Return text without characters that a terminal obeys; they are written as escapes.

    Parameters
    ----------
    text : object
    lines : bool
        Keep newlines and tabs.

    Examples
    --------
    >>> print(for_terminal("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return (_UNSEEN_IN_LINES if lines else _UNSEEN).sub(_as_escape, str(text))


def for_markup(text: object) -> str:
    r"""Return text as rich's markup shows it unchanged, and as :func:`for_terminal` does.

    Examples
    --------
    >>> print(for_markup("[red]"))
    \[red]
    """
    load_whole("rich.markup")
    from rich.markup import escape

    return escape(for_terminal(text))


def for_html(text: object) -> str:
    """Return text for HTML and SVG, between tags and within quoted attributes.

    Examples
    --------
    >>> for_html('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(for_terminal(text, lines=True), quote=True)


def for_markdown(text: object) -> str:
    r"""Return text for a line or a cell of Markdown; a newline becomes ``<br>``.

    Examples
    --------
    >>> print(for_markdown("a|b`c"), for_markdown("fb_small"))
    a\|b\`c fb_small
    """
    lines = str(text).replace("\r\n", "\n").split("\n")
    return "<br>".join(_MARKDOWN.sub(r"\\\1", for_terminal(line)) for line in lines)


def for_csv(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers.

    An apostrophe comes before text that would begin a formula, unless the text is a number.

    Examples
    --------
    >>> for_csv("=1+1"), for_csv(-1.5), for_csv("-1.5"), for_csv("a,b")
    ("'=1+1", -1.5, '-1.5', 'a,b')
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\0", r"\x00")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) and not _is_number(text) else text


def csv_table(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return a table as CSV: a line of names, then one for each row; what a row lacks is empty.

    Examples
    --------
    >>> csv_table(["name", "score"], [{"name": "=a", "score": -0.5}]).splitlines()
    ['name,score', "'=a,-0.5"]
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([for_csv(name) for name in names])
    writer.writerows([for_csv(row.get(name, "")) for name in names] for row in rows)
    return text.getvalue()


def for_plot(text: object) -> str:
    r"""Return text for matplotlib, which takes what stands between two ``$`` for a formula.

    Examples
    --------
    >>> print(for_plot("$x$"))
    \$x\$
    """
    return for_terminal(text, lines=True).replace("$", r"\$")


def shortened(text: object, most: int = LONGEST) -> str:
    """Return text of at most about `most` characters, its middle left out where it is longer.

    Examples
    --------
    >>> shortened("abcdefghij" * 100, 20)
    'abcdefghij...abcdefghij'
    """
    whole = str(text)
    if len(whole) <= most:
        return whole
    half = most // 2
    return f"{whole[:half]}...{whole[-half:]}"


def quoted(text: str, most: int = LONGEST) -> str:
    r"""Return foreign text for a message: shortened, in quotes, without control characters.

    Examples
    --------
    >>> print(quoted("a\0b"))
    'a\x00b'
    """
    return for_terminal(repr(shortened(text, most)))


def _as_escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
