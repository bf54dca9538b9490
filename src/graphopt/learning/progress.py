"""A progress bar for training, shown only to people."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar:
    """Shows steps, loss and best value on standard error; a context manager.

    Parameters
    ----------
    total : int
        Steps over all restarts.
    shown : bool
        False: does nothing.
    """

    def __init__(self, total: int, shown: bool) -> None:
        self._total, self._shown = total, shown
        self._done_before = 0

    def __enter__(self) -> ProgressBar:
        if self._shown:
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("loss {task.fields[loss]:.4f}  best {task.fields[best]:.4f}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._total, loss=0.0, best=0.0)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._bar.stop()

    def __call__(self, done: int, loss: float, best: float) -> None:
        """Report `done` steps of the present restart."""
        if self._shown:
            completed = self._done_before + done
            self._bar.update(self._task, completed=completed, loss=loss, best=best)

    def next_restart(self, steps: int) -> None:
        """Count the `steps` of a finished restart."""
        self._done_before += steps
