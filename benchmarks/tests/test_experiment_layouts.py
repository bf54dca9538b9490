"""Every number the paper printed has its place, and every place a job."""

from __future__ import annotations

import pytest

from benchmarks.paper.jobs.specs import (
    COMPLETED,
    COMPLETING,
    DATASETS,
    DECIDE,
    DRAWN,
    EXACT,
    QUICK,
    ROBUST,
    SLOW,
    SYSTEMS,
    TWO_STAGE,
    check_datasets,
    has_job,
    make_job,
)
from benchmarks.paper.report.layouts import LAYOUTS, Column, Layout, jobs_of, select
from benchmarks.paper.report.published import published, published_on
from graphopt.datasets.catalog import find

THE_PAPERS = [layout for layout in LAYOUTS if layout.name.isdecimal()]


def name_of(layout: Layout, column: Column) -> str:
    setting = f"{column.setting}/" if layout.number <= 2 else ""
    return setting + column.dataset


@pytest.mark.parametrize("layout", THE_PAPERS, ids=lambda layout: layout.name)
def test_rows_and_columns_are_the_papers(layout: Layout) -> None:
    printed = published()[layout.number]
    ours = [row.label for row in layout.rows if not row.extra]
    assert sorted(ours) == sorted(printed)
    for row in printed.values():
        theirs = [column for column in layout.columns if column.dataset != DRAWN]
        assert sorted(row) == sorted(name_of(layout, column) for column in theirs)
    assert ours == list(printed)  # in its order


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_cell_has_a_job_but_where_nothing_is_left_to_predict(layout: Layout) -> None:
    for row in layout.rows:
        for column in layout.columns:
            job = layout.job(row, column, 0)
            empty = row.system in COMPLETING and column.setting == "optimization"
            assert (job is None) == empty
            if job is None:
                assert layout.published(row, column) is None
            else:
                assert job.system in SYSTEMS[layout.task]
                many = job.dataset == DRAWN or find(job.data).roles is not None
                assert many == (column.setting == "inductive")


def test_published_numbers() -> None:
    layout = THE_PAPERS[0]
    row, newman = layout.rows[0], layout.rows[6]
    assert layout.published(row, Column("optimization", "fb")) == 0.80
    assert newman.label == "GCN-2stage-Newman"
    assert layout.published(newman, Column("learning", "adol")) is None  # the paper's dash
    assert layout.job(newman, Column("learning", "adol"), 0) is not None  # not ours
    assert "14 cores" in published_on()


def test_what_the_paper_has_no_number_for() -> None:
    for layout in select([5, 6], [DRAWN]):
        assert [column.dataset for column in layout.columns] == [DRAWN]
        for row in layout.rows:
            assert layout.published(row, layout.columns[0]) is None
        assert DRAWN in layout.note
    with pytest.raises(ValueError, match=f"table 1, 2 has no column for {DRAWN}"):
        select([1, 2], [DRAWN])


@pytest.mark.parametrize(
    "layout",
    [layout for layout in LAYOUTS if layout.name != "1b"],  # that is of the link predictor alone
    ids=lambda layout: layout.name,
)
def test_every_table_of_systems_has_all_of_them(layout: Layout) -> None:
    assert {row.system for row in layout.rows} == set(SYSTEMS[layout.task])
    assert all(row.extra for row in layout.rows if row.system in SLOW)


def test_classes_and_tails_are_there_for_both_protocols() -> None:
    by_name = {layout.name: layout for layout in LAYOUTS}
    for name in ("1e", "1f"):
        assert {column.dataset for column in by_name[name].columns} == {"cora", "citeseer"}
    for name in ("1e", "1f", "2a", "2b", "2e"):
        settings = [column.setting for column in by_name[name].columns]
        assert list(dict.fromkeys(settings)) == ["learning", "optimization", "clean"]
    values = [by_name[name].rows[0].value for name in ("1e", "1f", "2a", "2b", "2e")]
    assert values == ["nmi", "ari", "mean_distance", "p95_distance", "p99_distance"]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_dash_is_explained(layout: Layout) -> None:
    dashes = any(layout.job(row, c, 0) is None for row in layout.rows for c in layout.columns)
    assert dashes == ("none is left to predict" in layout.note)


def test_no_job_twice() -> None:
    jobs = jobs_of(LAYOUTS, 2)
    assert len(set(jobs)) == len(jobs) == len({job.key for job in jobs})
    assert [job.seed for job in jobs] == sorted(job.seed for job in jobs)
    # times come from the jobs that quality comes from
    assert set(jobs_of(select([3]), 1)) < set(jobs_of(select([1]), 1))
    assert set(jobs_of(LAYOUTS, 1)) < set(jobs)


@pytest.mark.parametrize(("number", "bound"), [(1, "Leiden"), (2, EXACT)])
def test_regret_needs_the_job_that_saw_everything(number: int, bound: str) -> None:
    scores, regrets = (
        layout for layout in select([number], ["fb"]) if layout.name in (f"{number}c", f"{number}d")
    )
    column = Column("clean", "fb")
    assert scores.columns == regrets.columns == (column,)
    assert scores.rows == regrets.rows
    reference = make_job(bound, "fb", scores.task, "optimization", 3)
    assert regrets.reference_job(column, 3) == reference
    assert scores.reference_job(column, 3) is None
    extra = {make_job(bound, "fb", scores.task, "optimization", seed) for seed in range(2)}
    assert set(jobs_of([regrets], 2)) == set(jobs_of([scores], 2)) | extra
    assert {job.setting for job in jobs_of([scores], 2)} == {"clean"}
    assert not regrets.higher_is_better


def test_facilities_are_decided_on_connected_graphs() -> None:
    assert make_job("ClusterNet", "cora", "facility", "learning", 0).data == "cora_connected"
    assert make_job("ClusterNet", "cora", "community", "learning", 0).data == "cora"
    found = make_job("ClusterNet", "pubmed", "facility", "inductive", 0).data
    assert found == "pubmed_connected_inductive"


def test_a_key_tells_jobs_apart() -> None:
    jobs = [
        make_job("ClusterNet", "fb", "community", "learning", 0),
        make_job("ClusterNet", "fb", "community", "learning", 1),
        make_job("ClusterNet", "fb", "community", "learning", 0, QUICK),
        make_job("ClusterNet", "fb", "facility", "learning", 0),
    ]
    assert len({job.key for job in jobs}) == 4
    assert jobs[0].key == make_job("ClusterNet", "fb", "community", "learning", 0).key


def test_quick_jobs_are_smaller_where_they_can_be() -> None:
    quick = make_job("ClusterNet", "pubmed", "community", "inductive", 0, QUICK)
    assert quick.parameters == {"k": 10, "iterations": 20, "restarts": 1, "graphs": 3}
    leiden = make_job("Leiden", "fb", "community", "learning", 0, QUICK)
    assert leiden == make_job("Leiden", "fb", "community", "learning", 0)
    two_stage = make_job(TWO_STAGE, "fb", "community", "learning", 0, QUICK)
    assert two_stage.parameters == {"k": 10, "iterations": 60}
    decide = make_job(DECIDE, "synthetic", "community", "inductive", 0, QUICK)
    assert decide.parameters == {"k": 10, "graphs": 1, "time_budget": 0.1}
    full = make_job(DECIDE, "synthetic", "community", "inductive", 0)
    assert full.parameters == {"k": 10}


def test_where_a_system_has_nothing_to_say() -> None:
    assert has_job(COMPLETED, "cora", "learning")
    assert has_job(ROBUST, "cora", "clean")
    assert not has_job(COMPLETED, "cora", "optimization")
    assert has_job(DECIDE, "cora", "optimization")
    for system in SLOW:  # what cannot be made short is not in every cell of a quick run
        assert has_job(system, "fb", "learning", QUICK)
        assert has_job(system, "synthetic", "inductive", QUICK)
        assert not has_job(system, "cora", "learning", QUICK)
    assert has_job("Leiden", "cora", "learning", QUICK)


def test_some_tables_and_some_data_sets() -> None:
    assert [layout.name for layout in select([3])] == ["3"]
    both = [layout.name for layout in select([1, 2])]
    assert both == [
        *("1", "1a", "1b", "1c", "1d", "1e", "1f"), *("2", "2a", "2b", "2c", "2d", "2e")
    ]  # fmt: skip
    paper = [layout.name for layout in select([1, 2], fresh_splits=False)]
    assert paper == ["1", "1a", "1b", "1e", "1f", "2", "2a", "2b", "2e"]
    assert all(
        column.setting != "clean"
        for layout in select([1, 2], fresh_splits=False)
        for column in layout.columns
    )
    one = select([1], check_datasets(["fb"]))[0]
    assert [column.dataset for column in one.columns] == ["fb", "fb"]
    assert {layout.number for layout in select((), ["pubmed"])} == {5, 6}
    assert check_datasets([]) == DATASETS
    assert check_datasets(["fb", "cora"]) == ("cora", "fb")
    with pytest.raises(ValueError, match=r"table must be in 1\.\.6, not 7"):
        select([7])
    with pytest.raises(ValueError, match="table 5 has no column for cora"):
        select([5], ["cora"])
    with pytest.raises(ValueError, match=r"datasets must be one of .*karate"):
        check_datasets(["karate"])


def test_jobs_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="system"):
        make_job("Train-CNM", "fb", "facility", "learning", 0)
    with pytest.raises(ValueError, match="seed"):
        make_job("Leiden", "fb", "community", "learning", -1)
