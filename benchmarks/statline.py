"""How fast tables of StatLine come in, and with how much memory, beside the least it can take and beside two clients.

    .venv/bin/python benchmarks/statline.py

Serves two invented tables from this machine, in a process of its own: one of 1,000,000 figures on OData v4, in ten
pages with the columns of 03759ned, and one of 3,500 rows and 300 topics on OData v3. Then measures, each in a fresh
process and by turns, three times for v4 and five times for v3:

limit       download and orjson.loads of the same answers, each forgotten at once
btg         sources.statline: download, checks, and read, to a typed tidy table
again       the same, and the tidy table made once more of the bytes, as from a stored snapshot
cbsodata4   the client of CBS for v4, get_observations, which asks for all columns
cbsodata    the client for v3, get_data
csv         the whole v4 table as one file with semicolons, download and typed read, without checks: the kind of file
            that Properties.Distributions names (its layout is assumed)

Nothing is compressed. Prints medians: seconds, ratio to the limit, peak memory of the process. Bars: v4 at most 1.6
times the limit, half the time and a third of the memory of cbsodata4; v3 at most 2.5 times the limit.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
V4_ID, V3_ID = "03759ned", "70072ned"
PAGE = 100_000
REPEATS = {"v4": 3, "v3": 5}
BARS = {"v4": 1.6, "v3": 2.5}


def main() -> None:
    """Measure all by turns, and print."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURES}
    with server() as url:
        for turn in range(max(REPEATS.values())):
            for name in MEASURES:
                if turn < REPEATS[name[:2]]:
                    found[name].append(measure(name, url))
    medians = {name: [statistics.median(values) for values in zip(*runs, strict=True)] for name, runs in found.items()}
    print(f"{'':14}{'seconds':>9}{'range':>14}{'to limit':>10}{'peak MB':>9}")
    for name, (seconds, memory) in medians.items():
        times = [run[0] for run in found[name]]
        ratio = seconds / medians[f"{name[:2]} limit"][0]
        print(f"{name:14}{seconds:9.2f}{min(times):8.2f}-{max(times):5.2f}{ratio:10.2f}{memory:9.0f}")
    ours, theirs = medians["v4 btg"], medians["v4 cbsodata4"]
    for platform, bar in BARS.items():
        print(
            f"{platform} to its limit: {medians[f'{platform} btg'][0] / medians[f'{platform} limit'][0]:.2f}, bar {bar}"
        )
    print(f"v4 to cbsodata4: {ours[0] / theirs[0]:.2f} of its time, bar 0.50")
    print(f"v4 to cbsodata4: {ours[1] / theirs[1]:.2f} of its memory, bar 0.33")


def measure(name: str, url: str) -> tuple[float, float]:
    """Seconds of work and peak memory in MB, in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, name, url], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    seconds, memory = map(float, done.stdout.split()[-2:])
    return seconds, memory


def limit(url: str, client_path: str) -> Callable[[], None]:
    """Download and parse, nothing else."""
    import httpx
    import orjson

    def work() -> None:
        link: str | None = url + client_path
        with httpx.Client(timeout=60) as client:
            while link:
                answer = orjson.loads(client.get(link).content)
                link = answer.get("@odata.nextLink")

    return work


def btg(url: str, platform: str, *, again: bool = False) -> Callable[[], None]:
    """This project's client, from nothing to the tidy table."""
    from sources.http import Deadline, PoliteClient
    from sources.statline import StatLine, TableRequest, read

    if platform == "v4":
        request = TableRequest(f"CBS {V4_ID}", "odata_v4", f"{url}/v4/CBS", V4_ID)
    else:
        request = TableRequest(f"CBS {V3_ID}", "odata_v3", url, V3_ID)

    def work() -> None:
        with PoliteClient() as client:
            download = StatLine(client).download(request, Deadline.after(600))
        cells = (read(request, download.parts) if again else download.table).cells
        assert cells.height == (1_000_000 if platform == "v4" else 3_500 * 300), cells.height

    return work


def cbsodata4(url: str) -> Callable[[], None]:
    """The client of CBS for v4; it keeps its files in the working folder."""
    import cbsodata4

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            assert len(cbsodata4.get_observations(V4_ID, base_url=f"{url}/v4")) == 1_000_000

    return work


def cbsodata(url: str) -> Callable[[], None]:
    """The client for v3, which gives a list of dicts."""
    import cbsodata

    def work() -> None:
        cbsodata.options.use_https = False
        assert len(cbsodata.get_data(V3_ID, catalog_url=url.removeprefix("http://"))) == 3_500

    return work


def csv(url: str) -> Callable[[], None]:
    """The published file, typed, of the columns that are needed."""
    import polars as pl

    from sources.http import Deadline, PoliteClient

    def work() -> None:
        with PoliteClient() as client:
            body = client.get(f"{url}/csv", table="csv", deadline=Deadline.after(600), accept="text/csv").body
        columns = ["Measure", "ValueAttribute", "Value", *V4_DIMENSIONS]
        schema = dict.fromkeys(columns, pl.String) | {"Value": pl.Float64}
        frame = pl.read_csv(body, separator=";", columns=columns, schema_overrides=schema)
        assert frame.height == 1_000_000

    return work


SELECT = "?$select=Measure,BurgerlijkeStaat,Geslacht,Leeftijd,RegioS,Perioden,ValueAttribute,Value"
MEASURES: dict[str, Callable[[str], Callable[[], None]]] = {
    "v4 limit": lambda url: limit(url, f"/v4/CBS/{V4_ID}/Observations{SELECT}"),
    "v4 btg": lambda url: btg(url, "v4"),
    "v4 again": lambda url: btg(url, "v4", again=True),
    "v4 cbsodata4": cbsodata4,
    "v4 csv": csv,
    "v3 limit": lambda url: limit(url, f"/ODataFeed/odata/{V3_ID}/UntypedDataSet"),
    "v3 btg": lambda url: btg(url, "v3"),
    "v3 again": lambda url: btg(url, "v3", again=True),
    "v3 cbsodata": cbsodata,
}
V4_DIMENSIONS = {
    "BurgerlijkeStaat": ["T001019"],
    "Geslacht": ["3000", "4000"],
    "Leeftijd": [f"{10000 + 100 * age}" for age in range(25)],
    "RegioS": [f"GM{number:04}" for number in range(400)],
    "Perioden": [f"{year}JJ00" for year in range(2000, 2025)],
}
MEASURE_CODES = {"M000352": "Bevolking op 1 januari", "M000365": "Gemiddelde bevolking"}
V3_DIMENSIONS = {
    "RegioS": [f"GM{number:04}" for number in range(349)] + ["NL01  "],
    "Perioden": [f"{year}JJ00" for year in range(2015, 2025)],
}


def v4_answers(url: str) -> dict[str, bytes]:
    """Path (and query) -> body, the pages of all columns and of those that are needed."""
    import orjson
    import polars as pl

    base = f"{url}/v4/CBS/{V4_ID}"
    kinds = {"RegioS": "GeoDimension", "Perioden": "TimeDimension"}
    lists = {
        "Dimensions": [{"Identifier": name, "Kind": kinds.get(name, "Dimension")} for name in V4_DIMENSIONS],
        "MeasureCodes": [
            {"Identifier": code, "Title": title, "Unit": "aantal", "DataType": "Long", "MeasureGroupId": None}
            for code, title in MEASURE_CODES.items()
        ],
    } | {
        f"{name}Codes": [{"Identifier": code, "Title": code, "Status": "Definitief"} for code in codes]
        for name, codes in V4_DIMENSIONS.items()
    }
    answers = {f"/v4/CBS/{V4_ID}/{name}": orjson.dumps({"value": rows}) for name, rows in lists.items()}
    answers[f"/v4/CBS/{V4_ID}/Properties"] = orjson.dumps({"Identifier": V4_ID, "Title": "Bevolking", "Version": "1"})
    answers[f"/v4/CBS/{V4_ID}"] = orjson.dumps({"value": [{"name": name} for name in [*lists, "Observations"]]})
    answers["/v4/Datasets"] = orjson.dumps({"value": [{"Identifier": V4_ID, "Catalog": "CBS"}]})
    answers[f"/v4/CBS/{V4_ID}/Observations/$count"] = b"1000000"
    codes = pl.DataFrame(
        list(product(*V4_DIMENSIONS.values(), MEASURE_CODES)), schema=[*V4_DIMENSIONS, "Measure"], orient="row"
    )
    # As recorded, some cells have no value: here one in ten.
    table = codes.with_row_index("Id").select(
        "Id",
        "Measure",
        pl.when(pl.col("Id") % 10 == 0).then(pl.lit("Impossible")).otherwise(pl.lit("None")).alias("ValueAttribute"),
        pl.when(pl.col("Id") % 10 != 0).then(pl.col("Id").hash() % 1_000_000).alias("Value"),
        pl.lit(None, pl.String).alias("StringValue"),
        *V4_DIMENSIONS,
    )
    answers["/csv"] = table.write_csv(separator=";", quote_style="non_numeric").encode()
    for query, columns in (("", table.columns), (SELECT, SELECT.partition("=")[2].split(","))):
        for page in range(10):
            rows = table.slice(page * PAGE, PAGE).select(columns).write_json().encode()
            skip = f"{'&' if query else '?'}$skip=" if page else ""
            following = f"{base}/Observations{query}{'&' if query else '?'}$skip={(page + 1) * PAGE}"
            link = b',"@odata.nextLink":' + orjson.dumps(following) if page < 9 else b""
            key = f"/v4/CBS/{V4_ID}/Observations{query}" + (f"{skip}{page * PAGE}" if page else "")
            answers[key] = (
                b'{"@odata.context":"' + base.encode() + b'/$metadata#Observations","value":' + rows + link + b"}"
            )
    return answers


def v3_answers() -> dict[str, bytes]:
    """Path -> body; the rows of numbers once as padded text, once as numbers."""
    import orjson
    import polars as pl

    topics = [f"Onderwerp{number}_{number}" for number in range(1, 301)]
    kinds = {"RegioS": "GeoDimension", "Perioden": "TimeDimension"}
    rows = pl.DataFrame(list(product(*V3_DIMENSIONS.values())), schema=list(V3_DIMENSIONS), orient="row")
    rows = rows.with_row_index("ID")
    numbers = {
        topic: pl.when(pl.col("ID").hash(seed) % 10 != 0).then((pl.col("ID").hash(seed + 1) % 1_000_000) / 10)
        for seed, topic in enumerate(topics)
    }
    typed = rows.with_columns(**numbers)
    text = [pl.col(topic).cast(pl.String).fill_null(".").str.pad_start(8) for topic in topics]
    lists = {
        "TableInfos": [{"Title": "Kerncijfers", "Modified": "2026-06-23T02:00:00"}],
        "DataProperties": [
            {"ID": number, "ParentID": None, "Type": kinds[name], "Key": name, "Title": name}
            for number, name in enumerate(V3_DIMENSIONS)
        ]
        + [{"ID": 0, "ParentID": None, "Type": "Topic", "Key": topic, "Title": topic, "Unit": "%"} for topic in topics],
        "CategoryGroups": [],
        **{name: [{"Key": code, "Title": code} for code in codes] for name, codes in V3_DIMENSIONS.items()},
    }
    base = f"/ODataFeed/odata/{V3_ID}"
    answers = {f"{base}/{name}": orjson.dumps({"value": found}) for name, found in lists.items()}
    for name, frame in {"UntypedDataSet": typed.with_columns(text), "TypedDataSet": typed}.items():
        answers[f"{base}/{name}"] = b'{"odata.metadata":"m","value":' + frame.write_json().encode() + b"}"
    names = [{"name": name} for name in [*lists, "UntypedDataSet", "TypedDataSet"]]
    answers[f"{base}/"] = orjson.dumps({"value": names})
    answers[f"{base}/UntypedDataSet/$count"] = b"3500"
    return answers


def serve() -> None:
    """Serve both tables until this process is ended; prints its address when it is ready."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = self.path.replace("%24", "$").replace("%2C", ",").replace("?$format=json", "")
            body = answers.get(path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as ready:
        url = f"http://127.0.0.1:{ready.server_port}"
        answers |= v4_answers(url) | v3_answers()
        print(url, flush=True)
        ready.serve_forever()


@contextmanager
def server() -> Iterator[str]:
    """The server in another process, for as long as the block lasts."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    process = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()


def run(name: str, url: str) -> None:
    """One measurement, in this process. What is imported first is not counted as work."""
    work = MEASURES[name](url)
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(seconds, peak / 1e6 if sys.platform == "darwin" else peak / 1e3)


if __name__ == "__main__":
    sys.path.insert(0, str(CHECKOUT))
    if sys.argv[1:] == ["serve"]:
        serve()
    elif sys.argv[1:]:
        run(*sys.argv[1:])
    else:
        main()
