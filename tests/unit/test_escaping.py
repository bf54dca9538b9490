"""Foreign text in every format: it is shown, and never obeyed."""

from __future__ import annotations

import csv
import html.parser
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from rich.text import Text

from graphopt._escaping import (
    csv_table,
    for_csv,
    for_html,
    for_markdown,
    for_markup,
    for_plot,
    for_terminal,
    quoted,
    shortened,
)

NASTY = [
    "[red]a[/red]",
    "[link=https://example.org]a[/link]",
    "a\\",
    "\\[b]",
    "[/]",
    "\x1b[2J\x1b]0;title\x07",
    "a\rb\x08\x7f\x9b31m",
    "a\u202eb\u2066c\u2028d",
    "\ud83d",
    "a|b`c*d_e<script>alert(1)</script>",
    "](https://example.org)[x",
    "~~a~~ $b$ __c__ **d**",
    "'\"><img src=x onerror=alert(1)>&amp;",
    "=1+1",
    "a\nb\tc",
    "Ä 字 👩‍👩‍👧",
]
text = st.text() | st.sampled_from(NASTY)


def harmless(shown: str, allowed: str = "") -> bool:
    """Return whether no character of a text is a command to a terminal or reverses it."""
    bidirectional = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return all(
        c in allowed
        or (unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in bidirectional)
        for c in shown
    )


@given(text)
def test_terminals_obey_nothing(name: str) -> None:
    assert harmless(for_terminal(name))
    assert harmless(for_terminal(name, lines=True), "\n\t")
    for_terminal(name).encode()
    if harmless(name):
        assert for_terminal(name) == name


@given(text)
def test_markup_shows_the_text(name: str) -> None:
    assert Text.from_markup(f"[bold]{for_markup(name)}[/bold] x").plain == f"{for_terminal(name)} x"


def test_control_characters_do_not_reach_the_terminal() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=200)
    console.print(for_markup("a\x1b[31mb[red]c"), highlight=False)
    assert console.file.getvalue() == "a\\x1b[31mb[red]c\n"  # type: ignore[attr-defined]


class Page(html.parser.HTMLParser):
    """Gathers tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.said = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.said += data


@given(text)
def test_html_shows_the_text(name: str) -> None:
    shown = for_terminal(name, lines=True)
    page = Page(f'<p title="{for_html(name)}">{for_html(name)}</p>')
    assert page.tags == ["p"]
    assert page.attributes == [("title", shown)]
    assert page.said == shown


@given(text.filter(lambda name: name.strip() == name and name != ""))
def test_markdown_keeps_the_table(name: str) -> None:
    table = f"| {for_markdown(name)} | 1 |\n|---|---|\n| {for_markdown(name)} | 2 |\n"
    page = Page(MarkdownIt("gfm-like", {"linkify": False, "html": False}).render(table))
    assert [tag for tag in page.tags if tag not in ("table", "thead", "tbody", "tr", "br")] == [
        "th",
        "th",
        "td",
        "td",
    ]


@pytest.mark.parametrize("name", NASTY)
def test_markdown_shows_the_text(name: str) -> None:
    page = Page(MarkdownIt("commonmark", {"html": False}).render(f"x {for_markdown(name)} x"))
    said = for_terminal(name, lines=True).replace("\n", "<br>").replace("\t", r"\x09")
    assert page.said.strip() == f"x {said.replace(chr(13), '')} x"
    assert page.tags == ["p"]


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@a", "\ta", "\ra", "\n=a", " =a", "-1+2"])
def test_spreadsheets_run_nothing(name: str) -> None:
    assert for_csv(name) == f"'{name}"


@pytest.mark.parametrize("value", [-1, -1.5, 0, None, "-1.5", "+3", "-1e-9", "a=b", "1-2", ""])
def test_numbers_stay_numbers(value: object) -> None:
    assert for_csv(value) == value


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, unique=True))
def test_csv_can_be_read_back(names: list[str]) -> None:
    table = csv_table(names, [{name: f"{name}," for name in names}, {names[0]: -1.0}])
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert rows[0] == [for_csv(name) for name in names]
    assert rows[1] == [for_csv(f"{name},") for name in names]
    assert rows[2][0] == "-1.0"
    assert len(rows) == 3


def test_plots_take_nothing_for_a_formula() -> None:
    from matplotlib.mathtext import MathTextParser

    assert for_plot("a $\\frac b$") == "a \\$\\frac b\\$"
    with pytest.raises(ValueError, match="frac"):
        MathTextParser("path").parse("a $\\frac$")
    MathTextParser("path").parse(for_plot("a $\\frac$"))


def test_messages_stay_short() -> None:
    assert len(quoted("\0" * 10**6)) < 1000
    assert len(shortened("x" * 10**6)) < 300
    assert quoted("two words") == "'two words'"
