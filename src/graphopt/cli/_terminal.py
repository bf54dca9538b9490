"""Where the command line writes."""

from __future__ import annotations

from rich.console import Console

# Tables and JSON go to standard output, everything about progress to standard error.
output = Console()
notes = Console(stderr=True)
