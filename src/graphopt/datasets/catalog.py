"""The data sets that have names: what each holds, its digest and where it can come from."""

from __future__ import annotations

from dataclasses import dataclass

from graphopt._validation import check_choice

_PUBMED = (
    "its features and labels are Planetoid's copy of the LINQS data, public as pickles only, and "
    "its nodes were matched to the PubMed ids of the authors' edge lists by comparing neighbours"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One data set of the catalogue.

    Attributes
    ----------
    name : str
        Also the name of its file, ``name.npz``, and of its folder in the authors' repository.
    digest : str
        Of its defining arrays, see :func:`graphopt.datasets.archive.array_digest`.
    kind : {"words", "embedding", "synthetic", "subgraphs"}
        What it holds: one graph with a sparse bag of words, one graph with embeddings of the full
        and of the training graph, many graphs with embeddings, many subgraphs whose features are
        rows of `parent`.
    parent : str or None
        The data set it is the largest component of, or takes features from.
    ids_file : str or None
        A second ``.content`` file with the ids of the source, where the first is renumbered.
    no_origin : str or None
        Why it cannot be converted from a public origin; None: it can.
    roles : three ranges or None
        Graphs to train on, to validate on and to test on; None: a single graph.
    most_bytes : int or None
        Most bytes that its arrays may take together: about twice what they do take. None: no
        bound.
    """

    name: str
    digest: str
    kind: str
    parent: str | None = None
    ids_file: str | None = None
    no_origin: str | None = None
    roles: tuple[range, range, range] | None = None
    most_bytes: int | None = None


ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            "cora",
            "62208e4a998ab33e3af7c8a6e26cf209aa006956919f56d663df82f65102a077",
            "words",
            most_bytes=1_000_000,
        ),
        Entry(
            "cora_connected",
            "d2ac8ffaf6ff2bdacb8ced4a7fedde3f2a11dd9ce966085d8130b4f5c7abc823",
            "words",
            parent="cora",
            most_bytes=1_000_000,
        ),
        Entry(
            "citeseer",
            "196b10b50e016c1b7d64476e2f440b7d4015d814cda0f1416dad3ebbe2fc8a71",
            "words",
            ids_file="citeseer_old.content",
            most_bytes=3_000_000,
        ),
        Entry(
            "citeseer_connected",
            "2fe0262c9706b407985ccd35ac5e8e2070ddfa64a2d758d151569429e1406411",
            "words",
            parent="citeseer",
            most_bytes=2_000_000,
        ),
        Entry(
            "protein_vidal",
            "5f56b37be60d145db8dafcab632188d093534c54acf16e29f81d1f7318c5f182",
            "embedding",
            most_bytes=14_000_000,
        ),
        Entry(
            "protein_vidal_connected",
            "928291562fd2ec62e2bd4e76bbb733bfb3551e9e5e3d6c4e51229f9f25c6ae1b",
            "embedding",
            parent="protein_vidal",
            most_bytes=12_000_000,
        ),
        Entry(
            "moreno",
            "e148674914f8d3eae5d2c177da0064b998fc23a028b1e5a6ba3d1347ecd7aca1",
            "embedding",
            most_bytes=11_000_000,
        ),
        Entry(
            "fb_small",
            "c6494f216bb62d77515a7c9ee277c632f6d85a7a0101ad072480181e9d7786c7",
            "embedding",
            most_bytes=13_000_000,
        ),
        Entry(
            "pubmed",
            "0bf39572c3b49623fbc31e1d8f9b141329f7fe8e62a07dede3b68cbe1228f542",
            "words",
            no_origin=_PUBMED,
            most_bytes=18_000_000,
        ),
        Entry(
            "pubmed_inductive",
            "0023b43983ff5c51e36672795ba950588e6f32e01ca14e0dbaa59884ab9d0ec5",
            "subgraphs",
            parent="pubmed",
            no_origin=_PUBMED,
            roles=(range(10), range(10, 12), range(12, 20)),
            most_bytes=2_000_000,
        ),
        Entry(
            "pubmed_connected_inductive",
            "77ad319c3869e96c87f6d6a37b11785994a163d62a6be58ad5534567eeb99917",
            "subgraphs",
            parent="pubmed",
            no_origin=_PUBMED,
            roles=(range(10), range(10, 12), range(12, 20)),
            most_bytes=2_000_000,
        ),
        Entry(
            "synthetic_spa",
            "785e84b3b175b4eda88a4d707b56fb2b670fea8ff4c23a712b777912061d416f",
            "synthetic",
            roles=(range(20), range(50, 60), range(20, 50)),
            most_bytes=48_000_000,
        ),
    )
}

# The names the paper's tables use, and the ones of graphs that are connected as they are.
ALIASES = {
    "moreno_connected": "moreno",
    "fb_small_connected": "fb_small",
    "cite": "citeseer",
    "cite_connected": "citeseer_connected",
    "prot": "protein_vidal",
    "prot_connected": "protein_vidal_connected",
    "adol": "moreno",
    "adol_connected": "moreno",
    "fb": "fb_small",
    "fb_connected": "fb_small",
}


def names() -> tuple[str, ...]:
    """Return the names that :func:`graphopt.datasets.load` knows, single graphs first.

    Examples
    --------
    >>> names()[:4]
    ('cora', 'cora_connected', 'citeseer', 'citeseer_connected')
    """
    return tuple(ENTRIES)


def find(name: str) -> Entry:
    """Return the entry of a name or alias, or raise ValueError listing the names."""
    if isinstance(name, str):
        name = ALIASES.get(name, name)
    return ENTRIES[check_choice("name", name, ENTRIES)]
