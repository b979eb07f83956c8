"""Structure, peers and types, by hand."""

from __future__ import annotations

import numpy as np
import polars as pl

from catalog.analysis_model import PeerSettings, StructuralVariable
from methods.peers import peers, peers_that_stay
from methods.structure import Structure, standardised, structural_variables
from methods.typology import most_alike
from tests.methods.worked import Example

_MUNICIPALITIES = Structure(
    pl.DataFrame(
        {
            "region_code": ["GM0001", "GM0002", "GM0003", "GM0004", "GM0005"],
            "density": [200.0, 300.0, 100.0, 400.0, 900.0],
            "owners": [50.0, 52.0, 54.0, 56.0, 60.0],
        }
    ),
    {"density": "2025", "owners": "2025"},
    {},
)
_HEADER = ["municipality", "density", "owners"]
_ROWS = [
    ["GM0001", "200", "50"],
    ["GM0002", "300", "52"],
    ["GM0003", "100", "54"],
    ["GM0004", "400", "56"],
    ["GM0005", "900", "60"],
]


def _share_of_elderly() -> list[float]:
    figures = pl.DataFrame(
        [
            ("population", "GM0001", "2024", 1000.0),
            ("population", "GM0002", "2024", 4000.0),
            ("elderly", "GM0001", "2024", 200.0),
            ("elderly", "GM0002", "2024", 1000.0),
            ("population", "GM0001", "2025", 1100.0),
            ("population", "GM0002", "2025", 4100.0),
        ],
        ["indicator_id", "region_code", "period", "value"],
        orient="row",
    ).with_columns(source_table=pl.lit("table"))
    share = StructuralVariable(
        variable="share", expression="100 * elderly / population", name_nl="ouderen (%)", name_en="elderly (%)"
    )
    return structural_variables(figures, [share], ["GM0001", "GM0002"], 2025).frame["share"].to_list()


def _standardised() -> list[float]:
    z = standardised(_MUNICIPALITIES)
    return [*z["density"], *z["owners"]]


def _distances() -> list[float]:
    return peers(_MUNICIPALITIES, ["GM0001"], PeerSettings(count=4, minimum_members=1))["distance"].to_list()


def _stay() -> list[float]:
    settings = PeerSettings(count=2, minimum_members=1)
    return [float(stay) for stay in peers_that_stay(_MUNICIPALITIES, ["GM0005"], settings)["stay"]]


def _most_alike() -> list[float]:
    return most_alike(np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 0]), 2).tolist()


EXAMPLES = [
    Example(
        title="A structural variable",
        text=(
            "The share of elderly people is computed from two figures of the same year. In 2025 only one of them is "
            "known, so 2024 is used for all municipalities."
        ),
        header=["municipality", "inhabitants 2024", "elderly 2024", "inhabitants 2025"],
        rows=[["GM0001", "1000", "200", "1100"], ["GM0002", "4000", "1000", "4100"]],
        steps=[("share of GM0001", "100 * 200 / 1000"), ("share of GM0002", "100 * 1000 / 4000")],
        result=_share_of_elderly,
    ),
    Example(
        title="Robust standardisation",
        text=(
            "Each variable is taken less its median and divided by its interquartile range. The medians are 300 and "
            "54; of five sorted figures the second and fourth are the quartiles: 200 and 400, 52 and 56. The 900 of "
            "GM0005 does not change what far means for the others."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[
            ("density of GM0001", "(200 - 300) / (400 - 200)"),
            ("density of GM0002", "(300 - 300) / (400 - 200)"),
            ("density of GM0003", "(100 - 300) / (400 - 200)"),
            ("density of GM0004", "(400 - 300) / (400 - 200)"),
            ("density of GM0005", "(900 - 300) / (400 - 200)"),
            ("owners of GM0001", "(50 - 54) / (56 - 52)"),
            ("owners of GM0002", "(52 - 54) / (56 - 52)"),
            ("owners of GM0003", "(54 - 54) / (56 - 52)"),
            ("owners of GM0004", "(56 - 54) / (56 - 52)"),
            ("owners of GM0005", "(60 - 54) / (56 - 52)"),
        ],
        result=_standardised,
    ),
    Example(
        title="Peers",
        text=(
            "The distance from GM0001 is the root of the mean squared difference over the standardised variables: of "
            "each difference, divided by the interquartile range (200 and 4), the square; their mean over two "
            "variables; its root. The nearest comes first."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[
            ("place 1: GM0002", "sqrt((((300 - 200) / 200) ** 2 + ((52 - 50) / 4) ** 2) / 2)"),
            ("place 2: GM0003", "sqrt((((100 - 200) / 200) ** 2 + ((54 - 50) / 4) ** 2) / 2)"),
            ("place 3: GM0004", "sqrt((((400 - 200) / 200) ** 2 + ((56 - 50) / 4) ** 2) / 2)"),
            ("place 4: GM0005", "sqrt((((900 - 200) / 200) ** 2 + ((60 - 50) / 4) ** 2) / 2)"),
        ],
        result=_distances,
    ),
    Example(
        title="How firm a group of peers is",
        text=(
            "The two peers of GM0005 are GM0004 and GM0002, at distances 1.90 and 2.55. By owners alone they are "
            "GM0004 and GM0003, by density alone GM0004 and GM0002: without density one of the two stays, without "
            "owners both do."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[("stay without density", "2 - 1"), ("stay without owners", "2 - 0")],
        result=_stay,
    ),
    Example(
        title="Is a type found again?",
        text=(
            "Six municipalities were drawn: A, B and C of type 1, D, E and F of type 2. Grouped anew they are A and B, "
            "and C to F. The Jaccard similarity of two groups is how many are in both, divided by how many are in "
            "one of the two; of each type the highest counts. The mean over bootstrap samples is its stability."
        ),
        header=["municipality", "type", "type in the bootstrap sample"],
        rows=[
            ["A", "1", "2"],
            ["B", "1", "2"],
            ["C", "1", "1"],
            ["D", "2", "1"],
            ["E", "2", "1"],
            ["F", "2", "1"],
        ],
        steps=[
            ("type 1", "max(1 / (3 + 4 - 1), 2 / (3 + 2 - 2))"),
            ("type 2", "max(3 / (3 + 4 - 3), 0 / (3 + 2 - 0))"),
        ],
        result=_most_alike,
    ),
]
