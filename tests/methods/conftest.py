"""The bundled official figures, measured once for all tests that look at them."""

from __future__ import annotations

import polars as pl
import pytest

from catalog import frames, load_catalogue
from methods.measure import RegionRoles
from methods.observe import flag_unusual_changes, observations
from sources import bundled
from sources.facts import read_facts
from tests.methods.chain import Measurement


@pytest.fixture(scope="session")
def official() -> Measurement:
    """The measurement of the bundled figures. Members are all municipalities with inhabitants in the period."""
    catalogue = load_catalogue()
    region = catalogue.region
    figures = read_facts(bundled.FOLDER, catalogue).figures
    indicators, sources = frames.indicators(catalogue), frames.indicator_sources(catalogue)
    real = figures.with_columns(synthetic=pl.lit(value=False))
    observed = observations(real, sources, frames.period_warnings(catalogue))
    inhabited = figures.filter(
        pl.col("region_code").str.starts_with("GM") & (pl.col("value") > 0), indicator_id="population"
    ).select("period", municipality_code="region_code")
    own = pl.DataFrame(
        [(group, code) for group, codes in region.own_groups.items() for code in codes],
        schema=["group_code", "municipality_code"],
        orient="row",
    )
    rest = inhabited.filter(~pl.col("municipality_code").is_in(list(region.municipalities)))
    members = pl.concat(
        [
            own.join(inhabited, "municipality_code"),
            rest.select(pl.lit(region.rest_code).alias("group_code"), "municipality_code", "period"),
        ]
    )
    return Measurement(
        observation=flag_unusual_changes(observed, observed, sources, indicators),
        members=members,
        indicators=indicators,
        sources=sources,
        frozen=frames.frozen_baselines(catalogue),
        known=frames.known_periods(catalogue),
        years=region.years,
        roles=RegionRoles.of(region),
        contrasts=region.contrasts,
        variants=region.contrast_variants,
    )
