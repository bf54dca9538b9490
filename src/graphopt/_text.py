"""Words that several tables and messages share."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number and what it counts, in the singular or the plural.

    Parameters
    ----------
    number : int
    one : str
        The singular.
    many : str, optional
        The plural; None: the singular with an s.

    Examples
    --------
    >>> counted(1, "trial"), counted(0, "trial"), counted(1_200, "facility", "facilities")
    ('1 trial', '0 trials', '1,200 facilities')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
