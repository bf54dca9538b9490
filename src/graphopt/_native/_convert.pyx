# cython: language_level=3, boundscheck=False, wraparound=False
"""Python containers (networkx dictionaries, lists of hashable labels) into edge arrays.

Columns are handed over as bytes objects that `numpy.frombuffer` reads without a copy. Dictionaries
are walked through Cython's typed `.items()`, which holds a reference to what it looks at and notices
when a `__hash__` or `__eq__` of the caller's changes them on the way.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.dict cimport PyDict_GetItemWithError
from cpython.exc cimport PyErr_CheckSignals
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject
from libc.math cimport isfinite
from libc.stdint cimport int64_t
from libcpp cimport bool as cbool
from libcpp.vector cimport vector

import reprlib

from numpy import bool_, floating

cdef extern from "Python.h":
    int64_t PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    bint PyIndex_Check(object thing)

cdef object _MISSING = object()
cdef Py_ssize_t _BETWEEN_LOOKS = 1 << 16  # edges, some milliseconds

cdef class _Columns:
    """Edges as they are found: both ends, a weight each, and how many of the weights were given."""

    cdef vector[int64_t] sources
    cdef vector[int64_t] targets
    cdef vector[double] weights
    cdef Py_ssize_t n_given

    cdef ends(self):
        return _bytes_of(self.sources), _bytes_of(self.targets)


cdef int _look_for_interrupts(_Columns columns) except -1:
    """Let Ctrl-C through now and then: nothing here runs Python's own loop, which would."""
    if columns.sources.size() % _BETWEEN_LOOKS == 0:
        PyErr_CheckSignals()
    return 0


cdef bytes _bytes_of(vector[int64_t] &column):
    return PyBytes_FromStringAndSize(<char *> column.data(), column.size() * sizeof(int64_t))


# --- networkx -----------------------------------------------------------------------------------


def adjacency_edges(adjacency, dict position, bint plain, object weight, bint multigraph,
                    bint directed):
    """Return the edges of a networkx adjacency as (sources, targets, weights).

    Parameters
    ----------
    adjacency : iterable of (node, {neighbour: attributes})
        What `networkx.Graph.adjacency()` gives; {neighbour: {key: attributes}} for a multigraph.
    position : dict
        The number of each node.
    plain : bool
        Every node is an int and its own number.
    weight : hashable or None
        The attribute that holds the weight; an edge without it weighs 1. None: ignored.
    multigraph, directed : bool
        When not directed, an edge is taken where it is listed at its end of lower number.

    Returns
    -------
    tuple of (bytes, bytes, bytes or None)
        int64 sources and targets, float64 weights; no weights if no edge has the attribute.
    """
    cdef _Columns columns = _Columns()
    cdef int64_t source, target
    cdef bint weighted = weight is not None
    for node, neighbours in adjacency:
        source = _number_of(position, plain, node)
        if type(neighbours) is dict:
            for neighbour, attributes in (<dict> neighbours).items():
                target = _number_of(position, plain, neighbour)
                if directed or target >= source:
                    _add(columns, source, target, node, neighbour, attributes,
                         weight, weighted, multigraph)
        else:  # a filtered view, or a subclass's own mapping
            for neighbour, attributes in neighbours.items():
                target = _number_of(position, plain, neighbour)
                if directed or target >= source:
                    _add(columns, source, target, node, neighbour, attributes,
                         weight, weighted, multigraph)
    weights = None
    if columns.n_given:
        weights = PyBytes_FromStringAndSize(
            <char *> columns.weights.data(), columns.weights.size() * sizeof(double)
        )
    return (*columns.ends(), weights)


cdef int64_t _number_of(dict position, bint plain, object node) except -1:
    cdef int overflow = 0
    cdef int64_t itself
    cdef PyObject *number
    if plain and PyLong_CheckExact(node):
        itself = PyLong_AsLongLongAndOverflow(node, &overflow)
        if not overflow and 0 <= itself < len(position):
            return itself
    number = PyDict_GetItemWithError(position, node)
    if number == NULL:
        raise ValueError(f"graph lists a neighbour {_short(node)} that is not one of its nodes")
    return <object> number


cdef int _add(_Columns columns, int64_t source, int64_t target, object node, object neighbour,
              object attributes, object weight, bint weighted, bint multigraph) except -1:
    """Add one edge, or every parallel edge between two nodes of a multigraph."""
    _look_for_interrupts(columns)
    if not multigraph:
        columns.sources.push_back(source)
        columns.targets.push_back(target)
        if weighted:
            columns.weights.push_back(_weight(columns, node, neighbour, attributes, weight))
        return 0
    for parallel in attributes.values():
        _look_for_interrupts(columns)
        columns.sources.push_back(source)
        columns.targets.push_back(target)
        if weighted:
            columns.weights.push_back(_weight(columns, node, neighbour, parallel, weight))
    return 0


cdef double _weight(_Columns columns, object node, object neighbour, object attributes,
                    object weight) except? -1.0:
    cdef PyObject *found
    cdef double number
    if type(attributes) is dict:
        found = PyDict_GetItemWithError(attributes, weight)
        if found == NULL:
            return 1.0
        value = <object> found
    else:
        value = attributes.get(weight, _MISSING)
        if value is _MISSING:
            return 1.0
    columns.n_given += 1
    if PyFloat_CheckExact(value):
        number = PyFloat_AS_DOUBLE(value)
    else:
        number = _as_double(value, node, neighbour, weight)
    if not isfinite(number):
        raise ValueError(
            f"{weight!r} of edge ({_short(node)}, {_short(neighbour)}) must be finite, not {number}"
        )
    return number


cdef double _as_double(object value, object node, object neighbour, object weight) except? -1.0:
    try:
        if isinstance(value, (str, bytes, bytearray)):  # float() would read them
            raise TypeError
        return float(value)
    except OverflowError:  # an integer beyond the largest float
        return float("inf")
    except (TypeError, ValueError):
        raise TypeError(
            f"{weight!r} of edge ({_short(node)}, {_short(neighbour)}) must be a number, "
            f"not {_short(value)}"
        ) from None


# --- lists of pairs -----------------------------------------------------------------------------


def pair_edges(edges, dict position=None):
    """Return the ends of a Python iterable of pairs as (sources, targets, labels).

    Parameters
    ----------
    edges : iterable of (source, target)
        If every end is an integer, they are node numbers; otherwise every end is a label.
    position : dict, optional
        The number of each label. None: labels are numbered in order of first appearance.

    Returns
    -------
    tuple of (bytes, bytes, tuple or None)
        int64 sources and targets; the labels in the order of their numbers, None for node numbers.
    """
    # A private copy: nothing the labels' methods do can change what is being walked.
    cdef tuple rows = tuple(edges)
    cdef _Columns columns = _Columns()
    columns.sources.reserve(len(rows))
    columns.targets.reserve(len(rows))
    if _read_numbers(columns, rows):
        return (*columns.ends(), None)
    columns.sources.clear()
    columns.targets.clear()
    if position is not None:
        _read_labels(columns, rows, position, False)
        return (*columns.ends(), tuple(position))
    position = {}
    _read_labels(columns, rows, position, True)
    return (*columns.ends(), tuple(position))


cdef bint _read_numbers(_Columns columns, tuple rows) except -1:
    """Read the pairs as node numbers; False if some end is not an integer."""
    cdef Py_ssize_t i
    cdef tuple pair
    for i in range(len(rows)):
        pair = _pair(rows, i)
        _look_for_interrupts(columns)
        if not (_read_number(columns.sources, pair[0], i)
                and _read_number(columns.targets, pair[1], i)):
            return False
    return True


cdef bint _read_number(vector[int64_t] &column, object end, Py_ssize_t i) except -1:
    cdef int overflow = 0
    cdef int64_t number
    if not PyLong_CheckExact(end):
        _refuse_lookalikes(end, i)
        if not PyIndex_Check(end):
            return False
        end = end.__index__()
    number = PyLong_AsLongLongAndOverflow(end, &overflow)
    if overflow:
        raise ValueError(f"edges[{i}] names node {_short(end)}, which does not fit 64 bits")
    column.push_back(number)
    return True


cdef int _read_labels(_Columns columns, tuple rows, dict position, bint grow) except -1:
    cdef Py_ssize_t i
    cdef tuple pair
    for i in range(len(rows)):
        pair = _pair(rows, i)
        _look_for_interrupts(columns)
        columns.sources.push_back(_label_number(position, pair[0], i, grow))
        columns.targets.push_back(_label_number(position, pair[1], i, grow))
    return 0


cdef int64_t _label_number(dict position, object label, Py_ssize_t i, bint grow) except -1:
    cdef PyObject *number
    _refuse_lookalikes(label, i)
    try:
        number = PyDict_GetItemWithError(position, label)
    except TypeError:
        raise TypeError(
            f"edges[{i}] holds {_short(label)}: a node label must be hashable, "
            f"not {type(label).__name__}"
        ) from None
    if number != NULL:
        return <object> number
    if not grow:
        raise ValueError(f"edges[{i}] holds {_short(label)}, which is not one of names")
    position[label] = len(position)
    return len(position) - 1


cdef tuple _pair(tuple rows, Py_ssize_t i):
    row = rows[i]
    if type(row) is tuple and len(<tuple> row) == 2:
        return <tuple> row
    if isinstance(row, (str, bytes)) or not hasattr(row, "__iter__"):
        raise TypeError(f"edges[{i}] must be a pair (source, target), not {_short(row)}")
    pair = tuple(row)
    if len(pair) != 2:
        raise ValueError(
            f"edges[{i}] must be a pair (source, target), not {len(pair)} values: {_short(row)}"
        )
    return pair


cdef int _refuse_lookalikes(object end, Py_ssize_t i) except -1:
    """Refuse what would pass for a label but is a slip: 1.0, True, None."""
    if end is None or isinstance(end, (bool, float, bool_, floating)):
        raise TypeError(
            f"edges[{i}] holds {_short(end)}: "
            f"an end must be an integer or a label, not {type(end).__name__}"
        )
    return 0


cdef str _short(object thing):
    try:
        return reprlib.repr(thing)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return f"{type(thing).__name__} too long to show"
