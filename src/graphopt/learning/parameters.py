"""scikit-learn's habits: parameters are the constructor's arguments, read and set by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from graphopt.graph import check_graph as check_any_graph

if TYPE_CHECKING:
    from typing_extensions import Self


class Parameters:
    """An object that can be cloned, tuned and printed by its constructor's arguments.

    The constructor must do nothing but keep each argument under its own name.
    """

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters by name.

        Parameters
        ----------
        deep : bool
            Without effect, as no parameter is an estimator.

        Returns
        -------
        dict
        """
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; they count from the next :meth:`fit` on.

        Parameters
        ----------
        **params
            As for the constructor.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a name that is not a parameter.
        """
        for name, value in params.items():
            if name not in self._parameter_names():
                raise ValueError(f"{name!r} is not a parameter of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if not _alike(value, defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


def _alike(value: object, default: object) -> bool:
    """Whether two parameters are equal; what is no plain value, such as an array, never is."""
    try:
        return value is default or bool(value == default)
    except Exception:
        return False


def check_graph(graph: object) -> None:
    """Raise TypeError unless `graph` is a Graph."""
    check_any_graph("graph", graph)
