"""SGC and APPNP beside their formulas in dense PyTorch, and the choice by name."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt.nn import APPNP, GCN, SGC, Adjacency, ClusterNet, SparseMatrix
from graphopt.nn.encoders import make_encoder

DTYPES = [torch.float32, torch.float64]
MAKERS = {
    "sgc": lambda: SGC(12, 5, steps=3),
    "appnp": lambda: APPNP(12, 8, 5, steps=4, teleport=0.2),
}
both = pytest.mark.parametrize("name", MAKERS)


def rows(n: int, p: int = 12, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    full = torch.randn(n, p, dtype=torch.float64, generator=generator)
    return full * (torch.rand(n, p, dtype=torch.float64, generator=generator) < 0.4)


def formula(encoder: SGC | APPNP, x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """As the papers write them, matrix powers and all."""
    if isinstance(encoder, SGC):
        return torch.linalg.matrix_power(a, encoder.steps) @ x @ encoder.weight + encoder.bias
    hidden = torch.relu(x @ encoder.hidden_weight + encoder.hidden_bias)
    h = hidden @ encoder.out_weight + encoder.out_bias
    alpha, k = encoder.teleport, encoder.steps
    spread = [torch.linalg.matrix_power((1 - alpha) * a, i) for i in range(k + 1)]
    return alpha * sum(p @ h for p in spread[:k]) + spread[k] @ h


@both
@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_values_and_gradients_are_the_formulas(name: str, dtype: torch.dtype, sparse: bool) -> None:
    graph = random_graph(25, 40, seed=3)
    features = rows(25).to(dtype)
    encoder = MAKERS[name]().to(dtype).eval()
    operand: Any = features
    if sparse:
        operand = SparseMatrix.from_scipy(scipy.sparse.csr_array(features.numpy()), dtype)
    adjacency = Adjacency(graph, dtype=dtype).whole
    found = encoder(operand, adjacency)
    wanted = formula(encoder, features, adjacency.to_dense())
    assert found.dtype == dtype
    torch.testing.assert_close(found, wanted)
    for ours, theirs in zip(
        torch.autograd.grad(found.square().sum(), list(encoder.parameters())),
        torch.autograd.grad(wanted.square().sum(), list(encoder.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@both
def test_gradients_by_finite_differences(name: str) -> None:
    graph, features = random_graph(9, 14, seed=1), rows(9)
    encoder = MAKERS[name]().double().eval()
    adjacency = Adjacency(graph, dtype=torch.float64).whole
    names, values = zip(*encoder.named_parameters(), strict=True)
    # Away from the corners of relu.
    values = tuple((v + 0.05).detach().requires_grad_() for v in values)

    def outputs(*parameters: torch.Tensor) -> torch.Tensor:
        state = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(encoder, state, (features, adjacency))

    assert torch.autograd.gradcheck(outputs, values)
    assert torch.autograd.gradgradcheck(outputs, values)


@both
def test_a_batch_is_each_graph_alone(name: str) -> None:
    graphs = [random_graph(n, 2 * n, seed) for seed, n in enumerate((12, 1, 30))]
    offsets = np.concatenate([[0], np.cumsum([g.n_nodes for g in graphs])])
    edges = np.concatenate([g.edges + o for g, o in zip(graphs, offsets, strict=False)])
    encoder = MAKERS[name]().double().eval()
    features = rows(int(offsets[-1]))
    union = Graph.from_edges(edges, int(offsets[-1]))
    together = encoder(features, Adjacency(union, dtype=torch.float64).whole)
    for graph, start in zip(graphs, offsets, strict=False):
        here = slice(int(start), int(start) + graph.n_nodes)
        alone = encoder(features[here], Adjacency(graph, dtype=torch.float64).whole)
        torch.testing.assert_close(together[here], alone)


@both
def test_calibrated_outputs_are_standardised(name: str) -> None:
    graph, features = random_graph(200, 600, seed=4), rows(200).float()
    adjacency = Adjacency(graph).whole
    encoder = MAKERS[name]()
    encoder.initialize(features, adjacency, np.random.default_rng(0))
    found = encoder.eval()(features, adjacency)
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(5), atol=1e-4, rtol=0.0)
    torch.testing.assert_close(found.std(dim=0, correction=0), torch.ones(5), atol=1e-3, rtol=0.0)


@both
def test_initialisation_depends_on_the_seed_only(name: str) -> None:
    graph, features = random_graph(40, 80, 0), rows(40).float()
    adjacency = Adjacency(graph).whole
    before = torch.get_rng_state()
    drawn = []
    for seed in (0, 0, 1):
        torch.set_rng_state(before)
        encoder = MAKERS[name]()
        after = torch.get_rng_state()
        encoder.initialize(features, adjacency, np.random.default_rng(seed))
        assert torch.equal(torch.get_rng_state(), after)
        drawn.append(encoder.eval()(features, adjacency))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@both
def test_graphs_without_edges_and_copies(name: str) -> None:
    features = rows(3).float()
    encoder = MAKERS[name]().eval()
    encoder.calibrate(torch.ones(3, 12), Adjacency(Graph.from_edges([], 3)).whole)
    assert all(torch.isfinite(p).all() for p in encoder.parameters())
    lonely = Adjacency(Graph.from_edges([], 3)).whole
    found = encoder(features, lonely)
    torch.testing.assert_close(found, formula(encoder, features, torch.eye(3)))
    assert torch.equal(copy.deepcopy(encoder)(features, lonely), found)


def test_dropout_of_appnp_is_for_training_only() -> None:
    adjacency = Adjacency(random_graph(20, 30, 5)).whole
    encoder, features = APPNP(12, 8, 5), rows(20).float()
    assert not torch.equal(encoder(features, adjacency), encoder(features, adjacency))
    encoder.eval()
    assert torch.equal(encoder(features, adjacency), encoder(features, adjacency))


def test_steps_and_teleport_decide_how_far_a_node_sees() -> None:
    path = Graph.from_edges([(i, i + 1) for i in range(5)])
    adjacency, features = Adjacency(path).whole, torch.eye(6)
    for steps in (0, 1, 3):
        seen = SGC(6, 6, steps=steps)
        with torch.no_grad():
            seen.weight.copy_(torch.eye(6))
        assert int((seen(features, adjacency)[0] != 0).sum()) == steps + 1
    encoder = APPNP(6, 8, 4, teleport=1.0).eval()
    alone = Adjacency(Graph.from_edges([], 6)).whole
    torch.testing.assert_close(encoder(features, adjacency), encoder(features, alone))


@both
def test_operands_that_do_not_fit(name: str) -> None:
    encoder, adjacency = MAKERS[name](), Adjacency(random_graph(20, 30, 5)).whole
    with pytest.raises(TypeError, match="features must have the dtype of the matrix"):
        encoder.double()(rows(20), adjacency)
    encoder.float()
    with pytest.raises(ValueError, match=r"features must have shape \(20, width\)"):
        encoder(rows(19).float(), adjacency)
    flat = SparseMatrix.from_scipy(scipy.sparse.csr_array((2, 20)))
    with pytest.raises(ValueError, match=r"adjacency must be square, not \(2, 20\)"):
        encoder(rows(20).float(), flat)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGC(0, 2), "in_features must be at least 1"),
        (lambda: SGC(2, 0), "out_features must be at least 1"),
        (lambda: SGC(2, 2, steps=-1), "steps must be at least 0"),
        (lambda: APPNP(2, 0, 2), "hidden_features must be at least 1"),
        (lambda: APPNP(2, 2, 2, teleport=1.1), "teleport must be at most 1"),
        (lambda: APPNP(2, 2, 2, dropout=1.0), "dropout must be less than 1"),
        (lambda: make_encoder("gat", 2, 2, 2), "encoder must be one of appnp, gcn, sgc"),
        (lambda: make_encoder("gcn", 2, 2, 2, propagation_steps=3), "propagation_steps are for"),
        (lambda: make_encoder("sgc", 2, 2, 2, teleport=0.1), "teleport is for encoder appnp, not"),
        (lambda: ClusterNet(2, 2, encoder="mlp"), "encoder must be one of"),
    ],
)
def test_settings_are_checked(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_names_make_encoders() -> None:
    assert isinstance(make_encoder("gcn", 2, 3, 4), GCN)
    sgc = make_encoder("sgc", 2, 3, 4, propagation_steps=0)
    assert isinstance(sgc, SGC)
    assert sgc.steps == 0
    appnp = make_encoder("appnp", 2, 3, 4, propagation_steps=6, teleport=0.0, dropout=0.1)
    assert isinstance(appnp, APPNP)
    assert (appnp.steps, appnp.teleport, appnp.dropout) == (6, 0.0, 0.1)
    assert repr(appnp) == "APPNP(2, 3, 4, steps=6, teleport=0, dropout=0.1)"


@pytest.mark.parametrize("encoder", ["gcn", "sgc", "appnp"])
def test_clusternet_trains_with_each(encoder: str) -> None:
    graph, features = random_graph(30, 60, 0), rows(30).float()
    adjacency = Adjacency(graph).whole
    net = ClusterNet(12, 3, hidden_features=7, embedding_features=5, encoder=encoder)
    net.initialize(features, adjacency, np.random.default_rng(0))
    net(features, adjacency).assignment.square().sum().backward()
    for parameter in net.parameters():
        assert torch.isfinite(parameter.grad).all()
        assert (parameter.grad != 0).any()
