"""Generated parts of the pages: tables, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.paper.jobs.specs import COMPLETED, DECIDE, ROBUST, SINGLE
from benchmarks.paper.pages.files import Sources
from benchmarks.paper.report.goals import GOALS
from benchmarks.paper.report.layouts import SETTINGS
from benchmarks.paper.report.tables import number, ours, theirs
from benchmarks.race.peers import ONE_THREAD
from benchmarks.race.report import seconds_text, three_digits

_SHOWN = {  # rows of the README's table of speed: the name of a contest, and what is done
    "hops-moreno": "all-pairs hops",
    "hops-pubmed": "all-pairs hops",
    "lengths-dense": "all-pairs lengths, complete graph",
    "gonzalez-million": "Gonzalez' k-center, k = 10",
    "soft-kmeans-2708": "soft k-means, 10 updates, rows of 50, 10 centres",
    "implicit-gradient": "exact gradient through its fixed point",
    "facility-2485": "expected distance to random facilities, and its gradient",
    "training-step-community": "a training step of ClusterNet, communities",
    "training-step-facility": "a training step of ClusterNet, facilities",
}
_ALONE = "¹"
_WORTH_TELLING = 0.05  # seconds that Ctrl-C waits
_CHOICES = {  # rows of the README's table of scores: the title, the table, its task and data set
    "cora, 10 communities: modularity (higher is better)": ("1", "community", "cora"),
    "citeseer, 10 communities": ("1", "community", "citeseer"),
    "cora, 10 facilities: largest distance in hops (lower is better)": ("2", "facility", "cora"),
    "citeseer, 10 facilities": ("2", "facility", "citeseer"),
}


class Parts(Sources):
    """What the pages' generated parts hold; the public methods are what markers may call."""

    # --- scores ---------------------------------------------------------------------------------

    def choices(self) -> str:
        """Return the README's table of scores: decide, ClusterNet and the best of the others.

        The others are all rows of the paper's tables and those that this project adds; Leiden on
        a completed graph and robust k-center, which `decide` tries too, have their own column.
        """
        heads = ["decided from seen edges, judged on the full graph", "edges seen", "`decide`",
                 "one method that it tries", "ClusterNet here", "ClusterNet, paper",
                 "best other here"]  # fmt: skip
        rows = []
        for title, (name, task, dataset) in _CHOICES.items():
            table = self._files.tables("results")[name]
            unit = table.layout.unit
            medians = {
                row.label: table.cell(row, column).median
                for row in table.layout.rows
                for column in table.layout.columns
                if (column.setting, column.dataset) == ("learning", dataset)
            }
            single = {COMPLETED, ROBUST} & medians.keys()
            others = {
                label: value
                for label, value in medians.items()
                if value is not None and label not in {DECIDE, "ClusterNet", *single}
            }
            best = (max if table.layout.higher_is_better else min)(others.values())
            named = [label for label, value in others.items() if value == best]
            (one,) = single
            alone = self._files.cell("results", name, one, "learning", dataset)
            found = self._files.cell("results", name, "ClusterNet", "learning", dataset)
            mine = self._files.cell("results", name, DECIDE, "learning", dataset)
            rows.append([
                title,
                f"{self._seen(dataset, task):.0f} %",
                f"**{ours(mine, unit)}**",
                f"{ours(alone, unit)} ({one})",
                ours(found, unit),
                theirs(found, unit),
                f"{number(best, unit)} ({' and '.join(named)})",
            ])  # fmt: skip
        return _table(heads, rows)

    def _seen(self, dataset: str, task: str) -> float:
        for row in self._files.rows("results/graphs.csv"):
            if (row["dataset"], row["task"]) == (dataset, task):
                return 100 * int(row["seen_edges"]) / int(row["edges"])
        raise ValueError(f"no graph {dataset}, {task}")

    def scores(
        self,
        table: str,
        setting: str,
        rows: Sequence[str],
        datasets: Sequence[str] = SINGLE,
        run: str = "results",
    ) -> str:
        """Return medians of rows of one of the paper's tables."""
        unit = self._files.tables(run)[table].layout.unit
        cells = [
            [row, *(ours(self._files.cell(run, table, row, setting, one), unit)
                    for one in datasets)]
            for row in rows
        ]  # fmt: skip
        return _table(["", *datasets], cells)

    def worse(self) -> str:
        """Return the cells in which the paper's number is better, a line each."""
        lines = []
        for table in self._files.tables("results").values():
            unit = table.layout.unit
            for row in table.layout.rows:
                for column in table.layout.columns:
                    if table.verdict(row, column) == "worse":
                        cell = table.cell(row, column)
                        lines.append([
                            f"Table {table.layout.name}, {SETTINGS[column.setting].lower()}",
                            row.label, column.dataset, ours(cell, unit), theirs(cell, unit),
                        ])  # fmt: skip
        return _table(["table", "row", "graph", "here", "published"], lines, words=True)

    def goals(self) -> str:
        """Return what decide reaches, its goals in brackets."""
        said = {
            ("community", "learning"): "communities from the published seen edges",
            ("community", "optimization"): "communities from all edges",
            ("community", "clean"): "communities from a fresh 40 %",
            ("facility", "learning"): "facilities from the published seen edges",
            ("facility", "optimization"): "facilities from all edges, proven",
            ("facility", "clean"): "facilities from a fresh 40 %",
        }
        names = {"community": {"clean": "1c"}, "facility": {"clean": "2c"}}
        lines = []
        for goal in GOALS:
            for setting in goal.settings:
                table = names[goal.task].get(setting, "1" if goal.task == "community" else "2")
                unit = self._files.tables("decide")[table].layout.unit
                cells = []
                for dataset in SINGLE:
                    cell = self._files.cell("decide", table, DECIDE, setting, dataset)
                    text = ours(cell, unit)
                    if setting != "clean":
                        text += f" ({number(goal.values[dataset], unit)})"
                        if cell.median is not None and not goal.met(dataset, cell.median):
                            text = f"**{text}**"
                    cells.append(text)
                lines.append([said[goal.task, setting], *cells])
        return _table(["full graph, 10 groups or facilities", *SINGLE], lines)

    def first_centers(self) -> str:
        """Return what Gonzalez' algorithm gives over all first centres."""
        lines = []
        for setting, what in (("optimization", "all edges seen"), ("learning", "seen edges")):
            published, spread, share = [], [], []
            for dataset in SINGLE:
                cell = self._files.cell("results", "2", "Train-gonzalez", setting, dataset)
                radii = self._files.first_centers(dataset, setting)
                if cell.published is None:
                    raise ValueError(f"nothing is published for {dataset}")
                as_good = sum(radius <= cell.published for radius in radii) / len(radii)
                published.append(theirs(cell, "hops"))
                values = (radii[0], statistics.median(radii), radii[-1])
                spread.append(", ".join(number(value, "hops") for value in values))
                share.append(f"{100 * as_good:.0f} %")
            lines += [
                [f"{what}: published", *published],
                ["smallest, median, largest", *spread],
                ["starts at least as good as published", *share],
            ]
        return _table(["", *SINGLE], lines)

    def ablation(self) -> str:
        """Return the three comparisons that answer whether learning adds something."""
        compared = (
            ("the full recipe less Leiden on seen and expected edges", "full recipe",
             "less Leiden, s. + e. [95 %]"),
            ("without completion, less Leiden on seen edges", "without completion",
             "less Leiden, seen [95 %]"),
            ("without learning, less the full recipe", "without learning",
             "less full recipe [95 %]"),
        )  # fmt: skip
        found = self._files.ablation()
        return _table(
            ["", *SINGLE],
            [
                [what, *(found[dataset, variant][column] for dataset in SINGLE)]
                for what, variant, column in compared
            ],
        )

    def inductive(self) -> str:
        """Return decide on graphs that nobody trained on, beside others."""
        datasets = ("synthetic", "pubmed", "synthetic-r2v")
        lines = []
        for task, table, beside in (
            ("community", "5a", ("Leiden", "ClusterNet, fine-tuned")),
            ("facility", "6a", ("Exact k-center", "ClusterNet")),
        ):
            what = "communities" if task == "community" else "facilities"
            unit = self._files.tables("results")[table].layout.unit
            scores, held = (
                [
                    self._files.decided("inductive", value, task, ["inductive"], [name])[0]
                    for name in datasets
                ]
                for value in ("score", "interval_holds")
            )
            mine = [number(score, unit) for score in scores]
            lines.append([f"{what}: `decide`", *mine])
            for row in beside:
                cells = [
                    ours(self._files.cell("results", table, row, "inductive", name), unit)
                    for name in datasets
                ]
                lines.append([f"{what}: {row}", *cells])
            lines.append([
                f"{what}: share of graphs whose score is in `decide`'s interval",
                *(f"{100 * share:.0f} %" for share in held),
            ])  # fmt: skip
        return _table(["mean over the test graphs", *datasets], lines)

    def wrong_picks(self) -> str:
        """Return how often decide picked the best of its portfolio, and what it lost."""
        lines = []
        for task, what in (("community", "communities"), ("facility", "facilities")):
            unit = "modularity" if task == "community" else "hops"
            for setting, where in (("learning", "published seen edges"), ("clean", "a fresh 40 %")):
                cells = []
                for dataset in SINGLE:
                    right, losses = (
                        self._files.decided("decide", value, task, [setting], [dataset])
                        for value in ("picked_best", "loss")
                    )
                    loss = number(statistics.mean(losses), unit)
                    cells.append(f"{sum(right):.0f} of {len(right)}, {loss}")
                lines.append([f"{what} from {where}", *cells])
        return _table(["best picked, and mean loss to the best in hindsight", *SINGLE], lines)

    def search(self) -> str:
        """Return what the hyperparameter search found."""
        lines = []
        for title, name, of in (
            ("10 + 2 graphs of pubmed", "pubmed-inductive", 576),
            ("20 + 10 synthetic graphs", "synthetic", 576),
            ("one graph of pubmed", "pubmed-one", 288),
            ("pubmed, whole", "pubmed-whole", 288),
        ):
            found = self._files.json(f"results/tune-{name}.json")
            published, best = found["landmarks"][0], found["tried"][0]
            again = {one["name"]: one["scores"] for one in found["confirmed"]}
            pairs = list(zip(again["best"], again["published"], strict=True))
            ahead = sum(x > y for x, y in pairs)
            lines.append([
                title, f"{published['of']} of {of}",
                f"{published['rank']}, {published['score']:.3f}", f"{best['score']:.3f}",
                f"{_mean_and_deviation(again['published'])}, "
                f"{_mean_and_deviation(again['best'])} (ahead in {ahead} of {len(pairs)})",
            ])  # fmt: skip
        return _table(
            ["searched", "tried, of", "published choice: rank, score", "best found: score",
             "again, hidden anew: published, best"], lines,
        )  # fmt: skip

    # --- speed ----------------------------------------------------------------------------------

    def _races(self) -> dict[str, Any]:
        return {race["name"]: race for race in self._files.race()["races"]}

    def _machine(self, found: Any) -> str:
        machine = found["machine"]
        versions = [f"{name} {v}" for name, v in machine["libraries"].items() if v]
        return (
            f"{machine['processor']}, {machine['cores']} cores, caches "
            f"{machine['caches']['L1d']}iB and {machine['caches']['L2']}iB, "
            f"{machine['memory'] / 2**30:.0f} GiB; {machine['compiler']}; "
            f"kernels for {machine['isa']}; {', '.join(versions)}."
        )

    def machine(self) -> str:
        """Return what the race was run on."""
        return f"**The machine**: {self._machine(self._files.race())}"

    def speed(self) -> str:
        """Return the README's table of speed."""
        races, lines = self._races(), []
        for name, what in _SHOWN.items():
            race = races[name]
            peers = sorted(
                (one for one in race["contestants"] if one["peer"] and one["ratio"] is not None),
                key=lambda one: one["ratio"],
            )
            said = [
                f"{one['name']}{_ALONE if one['name'].startswith(ONE_THREAD) else ''} "
                f"{three_digits(one['ratio'])}"
                for one in peers
            ]
            lines.append([f"{what}; {_size(race)}", "; ".join(said)])
        for instance in self._files.exact()["instances"]:
            if instance["ratio"] is not None:
                what = f"proven k-center; OR-Library's {instance['name']}, {instance['n']} nodes"
                ratio = three_digits(instance["ratio"])
                lines.append([what, f"spopt with CBC{_ALONE} {ratio}"])
        threads = self._files.race()["threads"]
        return (
            _table(["work", "beside, and times as fast as it"], lines, words=True)
            + f"\n{_ALONE} On one thread; graphopt and the others on {threads}.\n"
        )

    def race(self) -> str:
        """Return every contest beside its fastest peer."""
        lines = []
        for race in self._files.race()["races"]:
            by_name = {one["name"]: one for one in race["contestants"]}
            peer, times = "", ""
            if race["fastest_peer"] is not None:
                fastest = by_name[race["fastest_peer"]]
                alone = _ALONE if fastest["name"].startswith(ONE_THREAD) else ""
                peer = f"{fastest['name']}{alone}, {seconds_text(fastest['median'])}"
                times = f"**{three_digits(race['ratio'])}**"
            goals = [
                f"{'✓' if goal['met'] else '✗'} {goal['goal']}: {goal['measured']}"
                for goal in race["goals"]
            ]
            work = f"{race['name']}: {race['work']}<br>{_size(race)}"
            own = seconds_text(by_name["graphopt"]["median"])
            lines.append([work, own, peer, times, "<br>".join(goals)])
        heads = ["work", "graphopt", "fastest peer", "times as fast", "asked for"]
        threads = self._files.race()["threads"]
        return (
            _table(heads, lines, words=True)
            + f"\n{_ALONE} On one thread; graphopt and the others on {threads}.\n"
        )

    def memory(self) -> str:
        """Return what calls need beside their input and answer."""
        lines = [
            [race["name"], f"{race['memory'] / 1e6:,.1f} MB"]
            for race in self._files.race()["races"]
            if race["memory"] is not None
        ]
        return _table(["work", "memory"], lines)

    def exact(self) -> str:
        """Return the proofs of k-center beside spopt."""
        lines = []
        for one in self._files.exact()["instances"]:
            radius = f"{one['radius']:g}, "
            radius += "proven" if one["status"] == "optimal" else f"bound {one['lower_bound']:g}"
            times = ""
            if one["ratio"] is not None:
                times = three_digits(one["ratio"])
            elif one["at_least"] is not None:
                times = f"above {three_digits(one['at_least'])}"
            peer = one["peer"]
            became = "not asked"
            if peer is not None:
                became = peer["outcome"]
                if peer["seconds"] is not None:
                    became += f", {seconds_text(peer['seconds'])}"
            lines.append([
                f"{one['name']}<br>n = {one['n']:,}, k = {one['k']}",
                seconds_text(one["seconds"]), radius, became, times,
            ])  # fmt: skip
        heads = ["instance", "graphopt", "radius", f"spopt{_ALONE}", "times as fast"]
        return _table(heads, lines, words=True) + f"\n{_ALONE} On one thread; graphopt on 2.\n"

    def scaling(self) -> str:
        """Return the fitted exponents, and what two threads bring."""
        studies: dict[str, dict[int, Any]] = {}
        for study in self._files.scaling()["studies"]:
            studies.setdefault(study["study"], {})[study["threads"]] = study
        lines = [
            [
                name,
                f"{by_threads[1]['counted_exponent']:g}",
                *(f"{by_threads[threads]['exponent']:.2f}" for threads in (1, 2)),
                f"{by_threads[1]['median'][-1] / by_threads[2]['median'][-1]:.2f}",
            ]
            for name, by_threads in studies.items()
        ]
        heads = ["kernel", "counted", "1 thread", "2 threads", "times as fast on 2, largest n"]
        return _table(heads, lines)

    def interrupts(self) -> str:
        """Return how long Ctrl-C waits for kernels of ours."""
        lines = []
        for one in self._files.interrupts()["functions"]:
            delays = [found["delay"] for found in one["samples"] if found["running"] == "ours"]
            if delays:
                name = one["function"]
                lines.append([f"{name}<br>{one['size']}", f"{len(delays)}", _longest(delays)])
        found = self._files.interrupts()
        where = f"{found['machine']['processor']}, {found['threads']} threads"
        return _table(["function", "samples", "longest delay"], lines) + f"\n{where}.\n"

    def held_interrupts(self) -> str:
        """Return how long Ctrl-C waits for code of others, the longest first."""
        lines = []
        for one in self._files.interrupts()["functions"]:
            by_owner: dict[str, list[float]] = {}
            for found in one["samples"]:
                by_owner.setdefault(found["running"], []).append(found["delay"])
            for owner, delays in by_owner.items():
                if owner != "ours" and max(delays) >= _WORTH_TELLING:
                    what = f"`{one['function']}`" if owner == "import" else owner
                    within = "first use" if owner == "import" else one["function"]
                    lines.append((max(delays), [what, within, one["size"], _longest(delays)]))
        rows = [line for _, line in sorted(lines, key=lambda line: -line[0])]
        return _table(["runs", "within", "size", "longest delay"], rows, words=True)


def _longest(delays: Sequence[float]) -> str:
    return f"{1e3 * max(delays):,.0f} ms"


def _size(race: Any) -> str:
    edges = "" if race["m"] is None else f", m = {race['m']:,}"
    return f"n = {race['n']:,}{edges}"


def _mean_and_deviation(scores: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(scores):.3f}" if len(scores) > 2 else ""
    return f"{statistics.mean(scores):.3f}{spread}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False) -> str:
    """Return a table in Markdown; its numbers stand to the right unless it holds words."""
    lines = [heads, ["---", *["---" if words else "---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
