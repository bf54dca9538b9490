"""SoftKMeans as a torch module: shapes, operators, copies, compilation, errors."""

from __future__ import annotations

import copy
import gc
import io
import weakref

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from graphopt import soft_kmeans
from graphopt.clustering import SoftKMeansSettings, kmeans_plus_plus, soft_kmeans_vjp
from graphopt.errors import ConvergenceWarning
from graphopt.nn import SoftKMeans, operators

DTYPES = [torch.float32, torch.float64]
METHODS = ["one-step", "implicit", "dense", "unrolled", "auto"]


def rows(n: int, p: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, p, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", DTYPES)
def test_forward_is_the_numpy_function(dtype):
    x, start = rows(90, 7, dtype), rows(4, 7, dtype, seed=1)
    centers, assignment, embedding = SoftKMeans(4, 6.0, 3)(x, start)
    wanted = soft_kmeans(x.numpy(), start.numpy(), temperature=6.0, iterations=3)
    np.testing.assert_array_equal(centers.numpy(), wanted.centers)
    np.testing.assert_array_equal(assignment.numpy(), wanted.assignment)
    torch.testing.assert_close(embedding, torch.nn.functional.normalize(x))
    assert centers.dtype == assignment.dtype == dtype


def test_starts_by_kmeans_plus_plus_alike_every_time():
    x = rows(60, 5)
    layer = SoftKMeans(3, 10.0, 0, random_state=4)
    centers = layer(x).centers
    np.testing.assert_allclose(centers, kmeans_plus_plus(x.numpy(), 3, random_state=4))
    assert torch.equal(layer(x).centers, centers)
    assert not torch.equal(SoftKMeans(3, 10.0, 0, random_state=5)(x).centers, centers)


@pytest.mark.parametrize("method", METHODS)
def test_batch_is_each_graph_alone(method):
    sizes = [30, 0, 300, 2]
    offsets = torch.tensor([0, *np.cumsum(sizes)])
    x = rows(sum(sizes), 6).requires_grad_()
    layer = SoftKMeans(4, 5.0, 4, method, tolerance=1e-9)
    centers, assignment, _ = layer(x, offsets=offsets)
    assert centers.shape == (4, 4, 6)
    weight = rows(16, 6, seed=2).reshape(4, 4, 6)
    (centers * weight).sum().backward()
    for g in range(4):
        part = x.detach()[offsets[g] : offsets[g + 1]].requires_grad_()
        alone = layer(part)
        assert torch.equal(alone.centers, centers[g])
        assert torch.equal(alone.assignment, assignment[offsets[g] : offsets[g + 1]])
        (alone.centers * weight[g]).sum().backward()
        if method != "auto":  # decides for the whole call
            assert torch.equal(part.grad, x.grad[offsets[g] : offsets[g + 1]])


@pytest.mark.parametrize("method", METHODS)
def test_backward_is_the_numpy_function(method):
    x, start = rows(40, 5).requires_grad_(), rows(3, 5, seed=1).requires_grad_()
    layer = SoftKMeans(3, 4.0, 6, method)
    centers, assignment, _ = layer(x, start)
    weight, weight_r = rows(3, 5, seed=2), rows(40, 3, seed=3)
    ((centers * weight).sum() + (assignment * weight_r).sum()).backward()
    wanted = soft_kmeans_vjp(
        x.detach().numpy(),
        start.detach().numpy(),
        temperature=4.0,
        iterations=6,
        grad_centers=weight.numpy(),
        grad_assignment=weight_r.numpy(),
        gradient=method,
    )
    np.testing.assert_allclose(x.grad, wanted.x, atol=1e-13)
    np.testing.assert_allclose(start.grad, wanted.centers, atol=1e-13)
    assert layer.last_report == wanted.report


def test_gradient_through_the_embedding_too():
    x = rows(20, 4).requires_grad_()
    (SoftKMeans(2, 3.0, 1)(x).embedding * rows(20, 4, seed=1)).sum().backward()
    y = x.detach().requires_grad_()
    (torch.nn.functional.normalize(y) * rows(20, 4, seed=1)).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)


def test_rows_as_they_are():
    x = rows(30, 4).requires_grad_()
    out = SoftKMeans(3, 2.0, 2, normalize=False)(x)
    assert out.embedding is x
    wanted = soft_kmeans(
        x.detach().numpy(),
        kmeans_plus_plus(x.detach().numpy(), 3, random_state=0, normalize=False),
        temperature=2.0,
        iterations=2,
        normalize=False,
    )
    np.testing.assert_allclose(out.centers.detach(), wanted.centers)


def test_iterations_can_be_raised_between_calls():
    x, start = rows(30, 4), rows(3, 4, seed=1)
    layer = SoftKMeans(3, 5.0, 1)
    layer(x, start)
    layer.iterations = 5
    assert torch.equal(layer(x, start).centers, SoftKMeans(3, 5.0, 5)(x, start).centers)
    with pytest.raises(ValueError, match="iterations must be at least 0"):
        layer.iterations = -1
    layer.settings = SoftKMeansSettings(7.0, 2)
    assert (layer.temperature, layer.iterations, layer.gradient) == (7.0, 2, "one-step")
    assert torch.equal(layer(x, start).centers, SoftKMeans(3, 7.0, 2)(x, start).centers)


@pytest.mark.parametrize("iterations", [0, 3])
@pytest.mark.parametrize("method", METHODS)
def test_operators_are_registered_right(method, iterations):
    x = torch.nn.functional.normalize(rows(12, 4)).requires_grad_()
    start = rows(6, 4, seed=1).reshape(2, 3, 4).requires_grad_()
    offsets = torch.tensor([0, 5, 12])
    torch.library.opcheck(
        operators.soft_kmeans.registered,
        (x, offsets, start, 3.0, iterations, method, 1e-6, 100, 2),
    )


def test_small_operators_are_registered_right():
    x = rows(9, 4).requires_grad_()
    torch.library.opcheck(operators.unit_rows.registered, (x, 1))
    torch.library.opcheck(
        operators.kmeans_plus_plus.registered, (x.detach(), torch.tensor([0, 4, 9]), 2, 0)
    )


@pytest.mark.parametrize("method", ["one-step", "implicit"])
def test_compiles_whole(method):
    layer = SoftKMeans(3, 4.0, 4, method)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    for n in (20, 31):
        x = rows(n, 4).requires_grad_()
        y = x.detach().requires_grad_()
        expected, result = layer(x), compiled(y)
        assert torch.equal(expected.centers, result.centers)
        expected.centers.square().sum().backward()
        result.centers.square().sum().backward()
        assert torch.equal(x.grad, y.grad)
    layer.iterations = 2
    assert torch.equal(layer(x).centers, compiled(x).centers)


def test_copies_and_saved_state():
    x = rows(30, 4).requires_grad_()
    layer = SoftKMeans(3, 4.0, 5, "implicit")
    layer(x).centers.sum().backward()
    twin = copy.deepcopy(layer)
    assert twin.last_report is None
    assert layer.last_report is not None
    assert torch.equal(twin(x).centers, layer(x).centers)
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    again = torch.load(buffer, weights_only=False)
    assert torch.equal(again(x).centers, layer(x).centers)
    assert layer.state_dict() == {}
    layer.load_state_dict({})


def test_results_do_not_keep_their_module():
    layer = SoftKMeans(2, 4.0, 1)
    x = rows(10, 3).requires_grad_()
    total = layer(x).centers.sum()
    gone = weakref.ref(layer)
    del layer
    gc.collect()
    assert gone() is None
    total.backward()
    assert x.grad is not None


def test_reports_are_of_the_last_backward_pass():
    x = rows(90, 5).requires_grad_()
    layer = SoftKMeans(3, 5.0, 4, "implicit", tolerance=1e-3)
    offsets = torch.tensor([0, 30, 90])
    torch.autograd.grad(layer(x, offsets=offsets).centers.square().sum(), x)
    first = layer.last_report
    assert len(first.iterations) == len(first.residual) == 2
    layer(x)  # a forward pass alone changes nothing
    assert layer.last_report == first
    layer.settings = SoftKMeansSettings(5.0, 4, "auto")
    with FlopCounterMode(display=False):  # operators go through torch's dispatcher
        layer(x).centers.square().sum().backward()
    assert layer.last_report.method == "implicit"
    assert layer.last_report.certified_error > 0.01


def test_memory_is_shared_not_copied():
    x, start = rows(50, 4), rows(3, 4, seed=1)
    before = x.clone()
    out = SoftKMeans(3, 4.0, 2)(x.t().contiguous().t(), start)  # strided
    assert torch.equal(out.centers, SoftKMeans(3, 4.0, 2)(x, start).centers)
    assert torch.equal(x, before)
    assert SoftKMeans(3, 4.0, 0)(x, start).centers.data_ptr() != start.data_ptr()


def test_no_second_derivative():
    x = rows(10, 3).requires_grad_()
    centers = SoftKMeans(2, 3.0, 1)(x).centers
    (grad,) = torch.autograd.grad(centers.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="can be differentiated once"):
        grad.sum().backward()


def test_warns_when_the_solver_stops_short():
    x = rows(80, 6).requires_grad_()
    layer = SoftKMeans(4, 8.0, 5, "implicit", tolerance=1e-12, max_solver_iterations=1)
    centers = layer(x).centers
    with pytest.warns(ConvergenceWarning, match="1 of 1 graphs did not reach"):
        (centers * rows(4, 6, seed=1)).sum().backward()
    assert not layer.last_report.converged


def test_no_rows_and_zero_rows():
    layer = SoftKMeans(3, 30.0, 4, "unrolled")
    assert layer(torch.empty(0, 4)).assignment.shape == (0, 3)
    x = torch.zeros(5, 4, requires_grad=True)
    centers, assignment, _ = layer(x)
    (centers.sum() + assignment.square().sum()).backward()
    assert torch.isfinite(centers).all()
    assert torch.equal(x.grad, torch.zeros(5, 4))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters must be at least 1"),
        ({"temperature": -1}, ValueError, "temperature must be at least 0"),
        ({"iterations": -1}, ValueError, "iterations must be at least 0"),
        ({"gradient": "exact"}, ValueError, "gradient must be one of"),
        ({"tolerance": 0}, ValueError, "tolerance must be greater than 0"),
        ({"max_solver_iterations": 0}, ValueError, "max_solver_iterations must be at least 1"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0"),
        ({"num_threads": 0}, ValueError, "num_threads must be at least 1"),
    ],
)
def test_settings_are_checked_when_made(arguments, error, message):
    with pytest.raises(error, match=message):
        SoftKMeans(**{"n_clusters": 3, **arguments})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.ones(3)}, ValueError, r"x must be 2D with at least one column, not \(3,\)"),
        ({"x": torch.ones(4, 2).half()}, TypeError, "x must be float32 or float64"),
        ({"x": torch.ones(4, 2, device="meta")}, ValueError, "x must be on the CPU, not on meta"),
        ({"centers": torch.ones(3, 2).double()}, TypeError, "centers must have the dtype of x"),
        ({"centers": torch.ones(2, 2)}, ValueError, r"centers must have shape \(1, 3, 2\)"),
        ({"offsets": torch.tensor([0.0, 4.0])}, ValueError, "offsets must be a 1D int64 tensor"),
        ({"offsets": torch.tensor([0, 5])}, ValueError, "offsets must start at 0 and end at"),
    ],
)
def test_bad_tensors_are_named(arguments, error, message):
    good = {"x": torch.ones(4, 2), "centers": torch.ones(3, 2)}
    with pytest.raises(error, match=message):
        SoftKMeans(3)(**{**good, **arguments})
