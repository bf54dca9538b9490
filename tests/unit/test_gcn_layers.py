"""The layers of a GCN in one call: kernel, operator and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from helpers import random_graph
from torch import Tensor
from torch.nn import functional

from graphopt._native import _core
from graphopt.nn import GCN, Adjacency, SparseMatrix, dropout
from graphopt.nn.operators import gcn_layers, gcn_layers_backward
from tests.reference import gcn as twin

DTYPES = [np.float32, np.float64]


def adjacency(n_nodes: int, dtype: torch.dtype = torch.float64) -> SparseMatrix:
    return Adjacency(random_graph(n_nodes, 2 * n_nodes, seed=n_nodes), dtype=dtype).whole


def arrays(matrix: SparseMatrix) -> list[Any]:
    return [tensor.numpy() for tensor in matrix.operands]


def draw(n: int, h: int, p: int, dtype: type) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"projected": (n, h), "b1": (h,), "w2": (h, p), "b2": (p,), "upstream": (n, p)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("n", "h", "p"),
    [(0, 3, 2), (1, 1, 1), (7, 0, 3), (7, 3, 0), (40, 5, 17), (150, 50, 50), (333, 16, 130)],
)
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_kernels_equal_their_twins(n: int, h: int, p: int, share: float, dtype: type) -> None:
    matrix = adjacency(n, torch.float32 if dtype is np.float32 else torch.float64)
    rows, columns = arrays(matrix)[:3], arrays(matrix)[3:]
    given = draw(n, h, p, dtype)
    layers = given["projected"], given["b1"], given["w2"], given["b2"]
    out, hidden = _core.gcn_layers(*rows, n, *layers, share, 11, 2)
    dense = matrix.to_dense().double().numpy()
    exact = [value.astype(np.float64) for value in layers]
    wanted, wanted_hidden = twin.gcn_layers(dense, *exact, share, 11)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype is np.float32 else {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(hidden, wanted_hidden, **close)
    np.testing.assert_allclose(out, wanted, **close)

    found = _core.gcn_layers_gradient(*columns, n, hidden, given["w2"], share, given["upstream"], 2)
    upstream = given["upstream"].astype(np.float64)
    gradients = twin.gcn_layers_gradient(dense, wanted_hidden, exact[2], share, upstream)
    for ours, theirs in zip(found, gradients, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, **close)


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_at_any_number_of_threads(dtype: type) -> None:
    n = 9000  # more rows than the smallest chunks hold together
    matrix = adjacency(n, torch.float32 if dtype is np.float32 else torch.float64)
    rows, columns = arrays(matrix)[:3], arrays(matrix)[3:]
    given = draw(n, 12, 20, dtype)
    layers = given["projected"], given["b1"], given["w2"], given["b2"]

    def bits(threads: int) -> list[bytes]:
        out, hidden = _core.gcn_layers(*rows, n, *layers, 0.5, 3, threads)
        gradients = _core.gcn_layers_gradient(
            *columns, n, hidden, given["w2"], 0.5, given["upstream"], threads
        )
        return [array.tobytes() for array in (out, hidden, *gradients)]

    one = bits(1)
    for threads in (2, 3, 8):
        assert bits(threads) == one


def test_nan_stays_where_relu_meets_it() -> None:
    matrix = adjacency(20)
    given = draw(20, 17, 3, np.float64)
    given["projected"][4, 16] = np.nan
    layers = given["projected"], given["b1"], given["w2"], given["b2"]
    _, hidden = _core.gcn_layers(*arrays(matrix)[:3], 20, *layers, 0.0, 0, 1)
    touched = matrix.to_dense().numpy()[:, 4] != 0.0
    np.testing.assert_array_equal(np.isnan(hidden).any(axis=1), touched)


def test_kernels_refuse_what_they_cannot_read_safely() -> None:
    rows = arrays(adjacency(6))[:3]
    given = draw(6, 4, 3, np.float64)
    layers = [given["projected"], given["b1"], given["w2"], given["b2"]]

    def forward(**changes: Any) -> None:
        values = {"n": 6, "layers": layers, "share": 0.5, **changes}
        _core.gcn_layers(*rows, values["n"], *values["layers"], values["share"], 0, 1)

    with pytest.raises(ValueError, match="indptr must be that of a square matrix"):
        forward(n=7)
    with pytest.raises(ValueError, match=r"projected must have shape \(6, 4\)"):
        forward(layers=[given["projected"][:5].copy(), *layers[1:]])
    with pytest.raises(ValueError, match=r"out_weight must have shape \(4, 3\)"):
        forward(layers=[*layers[:2], given["w2"].T.copy(), layers[3]])
    with pytest.raises(ValueError, match="dropout must be at least 0 and less than 1"):
        forward(share=1.0)
    hidden = np.ones((6, 4))
    with pytest.raises(ValueError, match=r"upstream must have shape \(6, 3\)"):
        _core.gcn_layers_gradient(*rows, 6, hidden, given["w2"], 0.0, np.ones((6, 2)), 1)
    with pytest.raises(ValueError, match=r"hidden must have shape \(6, 4\)"):
        _core.gcn_layers_gradient(
            *rows, 6, hidden[:, :3].copy(), given["w2"], 0.0, given["upstream"], 1
        )


def tensors(n: int, h: int, p: int) -> list[Tensor]:
    given = draw(n, h, p, np.float64)
    return [torch.from_numpy(given[k]).requires_grad_() for k in ("projected", "b1", "w2", "b2")]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_gradients_are_right_once_and_twice(share: float) -> None:
    matrix, seed = adjacency(9), torch.tensor(5)

    def layers(*leaves: Tensor) -> Tensor:
        return gcn_layers(*matrix.operands, *leaves, seed, share, 2)[0]

    def both(*leaves: Tensor) -> Tensor:
        out, hidden = gcn_layers(*matrix.operands, *leaves, seed, share, 2)
        return out.square().sum() + hidden.square().sum()

    leaves = tensors(9, 4, 3)
    assert torch.autograd.gradcheck(layers, leaves)
    assert torch.autograd.gradcheck(both, leaves)
    assert torch.autograd.gradgradcheck(layers, leaves)


def test_registration() -> None:
    matrix, leaves = adjacency(9), tensors(9, 4, 3)
    arguments = (*matrix.operands, *leaves, torch.tensor(5), 0.5, 2)
    torch.library.opcheck(gcn_layers.registered, arguments)
    hidden = gcn_layers(*arguments)[1].detach()
    upstream = torch.randn(9, 3, dtype=torch.float64)
    backward = (*matrix.operands[3:], hidden, leaves[2].detach(), upstream, 0.5, 2)
    torch.library.opcheck(gcn_layers_backward.registered, backward)


def test_compiled_and_direct_calls_agree() -> None:
    matrix, leaves = adjacency(30), tensors(30, 4, 3)

    def loss(*leaves: Tensor) -> Tensor:
        return gcn_layers(*matrix.operands, *leaves, torch.tensor(5), 0.5, 2)[0].square().sum()

    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    ours = torch.autograd.grad(loss(*leaves), leaves)
    theirs = torch.autograd.grad(compiled(*leaves), leaves)
    for direct, traced in zip(ours, theirs, strict=True):
        assert torch.equal(direct, traced)


def test_the_module_drops_as_dropout_does() -> None:
    matrix = adjacency(30, torch.float32)
    gcn, features = GCN(6, 8, 4, dropout=0.5), torch.randn(30, 6)
    torch.manual_seed(3)
    found = gcn(features, matrix)
    torch.manual_seed(3)
    hidden = functional.relu(matrix @ (features @ gcn.hidden_weight) + gcn.hidden_bias)
    wanted = matrix @ (dropout(hidden, 0.5) @ gcn.out_weight) + gcn.out_bias
    torch.testing.assert_close(found, wanted)


def test_the_module_names_what_does_not_fit() -> None:
    matrix = adjacency(30, torch.float32)
    gcn = GCN(6, 8, 4)
    with pytest.raises(ValueError, match=r"features must have shape \(30, width\)"):
        gcn(torch.randn(29, 6), matrix)
    with pytest.raises(TypeError, match="features must have the dtype of the matrix"):
        gcn.double()(torch.randn(30, 6, dtype=torch.float64), matrix)
    import scipy.sparse

    oblong = SparseMatrix.from_scipy(scipy.sparse.csr_array((4, 5), dtype=np.float32))
    with pytest.raises(ValueError, match=r"adjacency must be square, not \(4, 5\)"):
        GCN(6, 8, 4)(torch.randn(5, 6), oblong)
