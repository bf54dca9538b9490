"""Libraries that graphopt can do without, but some of its functions cannot."""

from __future__ import annotations

from types import ModuleType

from graphopt._loading import load_whole
from graphopt.errors import MissingLibraryError

_EXTRAS = {"networkx": "networkx", "matplotlib": "plot", "optuna": "tune"}


def require(module: str, by: str) -> ModuleType:
    """Import a module of an optional library, or raise an error that says how to install it.

    Parameters
    ----------
    module : str
        Of a library in one of the package's extras, such as ``"matplotlib.pyplot"``.
    by : str
        What needs it, as the subject of the message.

    Returns
    -------
    module

    Raises
    ------
    MissingLibraryError
        If the library is not installed.
    """
    library = module.partition(".")[0]
    try:
        return load_whole(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise  # the library is there; something that it needs is not
        raise MissingLibraryError(
            f"{by} needs {library}, which is not installed: "
            f"pip install 'graphopt[{_EXTRAS[library]}]'",
            name=library,
        ) from None
