"""No index tensor leads a kernel out of bounds: changed later, unpickled or passed directly."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from helpers import random_graph
from torch import Tensor

from graphopt import Graph
from graphopt.nn import GCN, Adjacency, SparseMatrix
from graphopt.nn.losses import ModularityLoss

N, WIDTH = 12, 3
GRAPH = random_graph(N, 40, 0)
ADJACENCY = Adjacency(GRAPH).whole
OPERATORS = torch.ops.graphopt
FAR = 2**30


def parts(matrix: SparseMatrix) -> list[Tensor]:
    """Return copies of what operators take."""
    return [part.clone() for part in matrix.operands]


def made_of(tensors: list[Tensor]) -> SparseMatrix:
    rows, columns = tensors[:3], tensors[3:]
    return SparseMatrix(*rows, (columns[0], columns[1], columns[2]))


# --- kept is what was checked ---------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1, 3, 4])
def test_index_tensors_changed_later_change_nothing(which: int) -> None:
    given = parts(ADJACENCY)
    matrix, dense = made_of(given), torch.randn(N, WIDTH, requires_grad=True)
    expected = (ADJACENCY @ dense).detach()
    given[which].fill_(FAR)
    product = matrix @ dense
    assert torch.equal(product, expected)
    product.sum().backward()
    assert torch.equal(matrix.T.T.to_dense(), ADJACENCY.to_dense())


@pytest.mark.parametrize("which", range(6))
def test_tensors_that_are_resized_later_are_safe(which: int) -> None:
    given = parts(ADJACENCY)
    matrix = made_of(given)
    given[which].resize_(0)
    try:
        product = matrix @ torch.ones(N, WIDTH)
    except ValueError:  # values are shared
        assert which in (2, 5)
    else:
        assert torch.allclose(product, torch.ones(N, WIDTH))


def test_a_scipy_matrix_changed_later_changes_nothing() -> None:
    given = scipy.sparse.csr_array(np.eye(N, dtype=np.float32))
    matrix = SparseMatrix.from_scipy(given)
    given.indices[:], given.indptr[:], given.data[:] = FAR, -1, 7.0
    assert torch.equal(matrix @ torch.eye(N), torch.eye(N))


def test_a_graph_keeps_nothing_of_a_writeable_buffer() -> None:
    memory = np.array([0, 1, 2, 1, 0]).astype(np.int64)
    indptr = memory[:3]
    indices, weights = np.array([1, 0], np.int32), np.array([2.0, 2.0])
    views = [indptr[:], indices[:], weights[:]]
    for view in views:
        view.flags.writeable = False  # but their owners can still write
    graph = Graph(*views)
    memory[:], indices[:], weights[:] = FAR, FAR, np.nan
    assert graph.edges.tolist() == [[0, 1]]
    assert graph.edge_weights is not None
    assert graph.edge_weights.tolist() == [2.0]


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_copy_multiplies_alike(again: Callable[[SparseMatrix], SparseMatrix]) -> None:
    dense = torch.randn(N, WIDTH)
    assert torch.equal(again(ADJACENCY) @ dense, ADJACENCY @ dense)
    assert torch.equal(again(ADJACENCY.dropout(0.0)) @ dense, ADJACENCY @ dense)


@pytest.mark.parametrize("which", [0, 1])
def test_a_forged_pickle_is_refused(which: int) -> None:
    state = dict(vars(ADJACENCY))
    rows = [part.clone() for part in state["_rows"]]
    rows[which].fill_(FAR)
    state["_rows"] = tuple(rows)
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        SparseMatrix.__new__(SparseMatrix).__setstate__(state)


@pytest.mark.parametrize(
    ("which", "forged", "error", "message"),
    [
        (0, lambda t: t.int(), TypeError, "indptr must be torch.int64, not torch.int32"),
        (1, lambda t: t.long(), TypeError, "indices must be torch.int32, not torch.int64"),
        (2, lambda t: t.half(), TypeError, "values must be torch.float32 or torch.float64"),
        (0, lambda t: t[None], ValueError, "indptr must be 1D, not 2D"),
        (0, lambda t: t[:0], ValueError, "indptr must start at 0, and is empty"),
        (0, lambda t: t.flip(0), ValueError, "indptr must start with 0"),
        (1, lambda t: t[:-1], ValueError, "values must be as long as indices"),
        (1, lambda t: t.fill_(N), ValueError, "indices must be at least 0 and less than 12"),
        (1, lambda t: t.fill_(-1), ValueError, "indices must be at least 0 and less than 12"),
        (4, lambda t: t.to("meta"), ValueError, "indices must be on the CPU, not on meta"),
    ],
)
def test_tensors_that_are_no_matrix_are_named(
    which: int, forged: Callable[[Tensor], Tensor], error: type[Exception], message: str
) -> None:
    given = parts(ADJACENCY)
    given[which] = forged(given[which])
    with pytest.raises(error, match=message):
        made_of(given)


def test_strided_index_tensors_are_copied() -> None:
    given = parts(ADJACENCY)
    given[1] = torch.stack([given[1], given[1]], dim=1)[:, 0]
    assert torch.equal(made_of(given).to_dense(), ADJACENCY.to_dense())


# --- operators called directly --------------------------------------------------------------------

# Each writes over entries of one index tensor, in place, of a matrix that was sound.
CHANGES: dict[str, tuple[int, Callable[[Tensor], Any]]] = {
    "indptr starts at -1": (0, lambda t: t[0].fill_(-1)),
    "indptr falls": (0, lambda t: t[2].fill_(10**6)),
    "indptr falls below 0": (0, lambda t: t[2].fill_(-(10**6))),
    "indptr ends too late": (0, lambda t: t[-1].fill_(10**6)),
    "index too large": (1, lambda t: t[5].fill_(FAR)),
    "index just too large": (1, lambda t: t[5].fill_(N)),
    "index negative": (1, lambda t: t[5].fill_(-1)),
}


def changed(name: str, transposed: bool = False) -> list[Tensor]:
    """Return the operands of a matrix, one index tensor forged."""
    which, change = CHANGES[name]
    tensors = parts(ADJACENCY)
    change(tensors[which + 3 * transposed])
    return tensors


def dense(width: int = WIDTH) -> Tensor:
    return torch.ones(N, width)


@pytest.mark.parametrize("name", CHANGES)
def test_spmm_refuses_index_tensors_that_lead_out(name: str) -> None:
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        OPERATORS.spmm(*changed(name), dense(), 1)


@pytest.mark.parametrize("name", CHANGES)
def test_operands_changed_after_all_are_refused(name: str) -> None:
    matrix = made_of(parts(ADJACENCY))
    which, change = CHANGES[name]
    change(matrix.operands[which])
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        matrix @ dense()
    network = GCN(WIDTH, 4, 2)
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        network(dense(), matrix)


@pytest.mark.parametrize("name", CHANGES)
def test_gradients_refuse_index_tensors_that_lead_out(name: str) -> None:
    matrix = made_of(parts(ADJACENCY))
    which, change = CHANGES[name]
    x = dense().requires_grad_()
    losses = [(matrix @ x).sum(), GCN(WIDTH, 4, 2)(x, matrix).sum()]
    # Of a tensor that autograd kept, unlike a write that autograd sees.
    change(matrix.operands[which + 3].data)
    for loss in losses:
        with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
            loss.backward()


@pytest.mark.parametrize("name", CHANGES)
def test_gcn_layers_refuse_index_tensors_that_lead_out(name: str) -> None:
    hidden, out = 4, 2
    weights = torch.ones(hidden), torch.ones(hidden, out), torch.ones(out)
    seed = torch.zeros((), dtype=torch.int64)
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        OPERATORS.gcn_layers(*changed(name), dense(hidden), *weights, seed, 0.0, 1)
    back = changed(name, transposed=True)[3:]
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        OPERATORS.gcn_layers_backward(*back, dense(hidden), weights[1], dense(out), 0.0, 1)


@pytest.mark.parametrize("name", CHANGES)
def test_modularity_refuses_index_tensors_that_lead_out(name: str) -> None:
    which, change = CHANGES[name]
    problem = ModularityLoss().prepare(GRAPH)
    change((problem.indptr, problem.indices)[which])
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        OPERATORS.modularity(dense(), problem.indptr, problem.indices, None, 1.0)
    with pytest.raises(ValueError, match=r"ind(ptr|ices) must"):
        ModularityLoss().loss(dense(), problem)
    assert GRAPH.indices.max() < N  # the graph's own arrays are others


@pytest.mark.parametrize("node", [N, FAR, -1, 2**40])
def test_scores_of_pairs_refuse_nodes_that_are_none(node: int) -> None:
    pairs = torch.tensor([[0, 1], [2, node]])
    relation = torch.ones(WIDTH)
    with pytest.raises((IndexError, ValueError, RuntimeError)):
        OPERATORS.pair_scores(dense(), relation, pairs, 1)
    with pytest.raises((IndexError, ValueError, RuntimeError)):
        OPERATORS.pair_scores_backward(dense(), relation, pairs, torch.ones(2), 1)


@pytest.mark.parametrize("place", [-1, N + 1, FAR])
def test_soft_kmeans_refuses_offsets_that_lead_out(place: int) -> None:
    offsets = torch.tensor([0, place, N])
    with pytest.raises(ValueError, match="offsets must"):
        OPERATORS.soft_kmeans(
            dense(), offsets, torch.ones(2, 2, WIDTH), 1.0, 1, "one-step", 1e-6, 10, 1
        )


@pytest.mark.parametrize("site", [-1, N, FAR])
def test_lengths_refuse_an_order_that_leads_out(site: int) -> None:
    distances = torch.ones(2, N, dtype=torch.float64)
    order = torch.arange(N, dtype=torch.int32).repeat(2, 1)
    order[1, 3] = site
    with pytest.raises(ValueError, match="order must hold site numbers"):
        OPERATORS.expected_lengths(torch.zeros(N), distances, order, 1.0)


def test_hops_beyond_the_steps_count_as_unreachable() -> None:
    opening, steps = torch.full((3,), 0.5), torch.tensor([0.0, 1.0], dtype=torch.float64)
    for dtype in (torch.uint8, torch.uint16, torch.uint32):
        far = torch.tensor([[0, 1, 200]]).to(dtype)
        near = torch.tensor([[0, 1, 1]]).to(dtype)
        ends = [OPERATORS.expected_hops(opening, table, steps) for table in (far, near)]
        assert torch.equal(*ends)


def test_masks_and_dropout_keep_to_their_copies() -> None:
    adjacency = Adjacency(GRAPH)
    indices = adjacency.whole.operands[1].clone()
    hidden = adjacency.masked(0.5)
    hidden.operands[2].zero_()
    assert torch.equal(adjacency.whole.operands[1], indices)
    assert adjacency.whole.operands[2].ne(0).all()
