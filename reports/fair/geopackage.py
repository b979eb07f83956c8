"""btg.gpkg: outlines with the newest headline figures, for mapping programs."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from reports.fair.pack import Pack

# What a figure carries in a layer: the column is called after the indicator, and after this.
FIGURE_COLUMNS = ["value", "status", "ci_low", "ci_high", "reference_period"]
_REGION_COLUMNS = ["region_code", "name", "kind", "parent_code", "population", "population_period"]
_KINDS = {"municipalities": ["municipality"], "groups": ["region", "group"]}


def layers(pack: Pack) -> dict[str, pl.DataFrame]:
    """The layers by name: regions that have an outline, one row each, the newest headline figures beside each other."""
    regions = pack.tables["region"].filter(pl.col("geometry_wkb").is_not_null())
    headline = pack.tables["indicator"].filter("headline")["indicator_id"].to_list()
    for indicator in headline:
        regions = regions.join(_figures(pack, indicator), on="region_code", how="left", maintain_order="left")
    columns = [f"{indicator}_{column}" for indicator in headline for column in FIGURE_COLUMNS]
    return {
        name: regions.filter(pl.col("kind").is_in(kinds)).select(*_REGION_COLUMNS, *columns, "geometry_wkb")
        for name, kinds in _KINDS.items()
    }


def write_geopackage(pack: Pack, path: Path) -> None:
    """Write the layers in EPSG:28992 to a new file; equal tables and the same day give equal bytes."""
    import pyogrio

    # The only thing in the file that would differ from run to run is the time of writing.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{pack.published_on.isoformat()}T00:00:00.000Z"})
    try:
        for name, frame in layers(pack).items():
            _write_layer(frame, name, f"{pack.texts['title_nl']}, {pack.year}", path)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _figures(pack: Pack, indicator: str) -> pl.DataFrame:
    newest = pack.tables["indicator_value"].filter(
        (pl.col("measurement_year") == pack.year)
        & (pl.col("indicator_id") == indicator)
        & (pl.col("breakdown") == "total")
    )
    return newest.select("region_code", *(pl.col(column).alias(f"{indicator}_{column}") for column in FIGURE_COLUMNS))


def _write_layer(frame: pl.DataFrame, name: str, description: str, path: Path) -> None:
    import geopandas
    import shapely

    plain = frame.drop("geometry_wkb").to_pandas()
    # A column of whole numbers stays one where a number is missing, and text stays text where all of it is.
    kinds = {n: "Int64" if t.is_integer() else "float64" if t.is_float() else "str" for n, t in frame.schema.items()}
    outlines = shapely.from_wkb(frame["geometry_wkb"].to_list())
    shapes = geopandas.GeoDataFrame(
        plain.astype({column: kinds[column] for column in plain.columns}), geometry=outlines, crs="EPSG:28992"
    )
    shapes.to_file(
        path,
        layer=name,
        driver="GPKG",
        engine="pyogrio",
        geometry_type="MultiPolygon",
        promote_to_multi=True,
        layer_options={"DESCRIPTION": description},
    )
