"""One answer of the service: its rows, whatever way they are written, or a clear error."""

from __future__ import annotations

import json

import orjson
import polars as pl
import pytest

from sources.errors import IncompleteAnswer, SourceChanged
from sources.statline import pages

SCHEMA = {"RegioS": pl.String, "Value": pl.Float64}
ROWS = [
    {"RegioS": "GM0153", "Value": 1.5, "Id": 1},
    {"RegioS": "NL01", "Value": None, "Id": 2},
    {"RegioS": "GM0141", "Value": 17282163, "Id": 3},
]
READ = [("GM0153", 1.5), ("NL01", None), ("GM0141", 17282163.0)]
# As OData's own library writes it: no blanks between two rows, line ends within.
_INDENTED = """{
  "odata.metadata":"m","value":[
    {
      "RegioS":"GM0153","Value":1.5
    },{
      "RegioS":"NL01","Value":null
    },{
      "RegioS":"GM0141","Value":17282163
    }
  ]
}"""
LINK = "https://opendata.cbs.nl/ODataFeed/OData/T/UntypedDataSet/?$format=json&$skip=10000"


def test_the_rows_of_a_page_are_typed_and_columns_not_asked_for_are_left_out() -> None:
    body = orjson.dumps({"@odata.context": "https://x/$metadata#Observations", "value": ROWS})
    read = pages.rows(body, SCHEMA, "CBS T")
    assert read.schema == SCHEMA
    assert read.rows() == READ


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"value": ROWS, "odata.metadata": "m"}),
        json.dumps({"odata.metadata": "m", "value": ROWS}, indent=2).replace("\n", "\r\n"),
        "\ufeff" + json.dumps({"value": ROWS}, separators=(",", ":")),
        _INDENTED,
    ],
    ids=["blanks", "indented", "byte order mark", "indented by OData"],
)
def test_blanks_and_marks_in_the_json_change_nothing(body: str) -> None:
    assert pages.rows(body.encode(), SCHEMA, "CBS T").rows() == READ
    assert pages.next_link(body.encode(), "CBS T") is None


@pytest.mark.parametrize("text", ["a},{", 'a},{"', '"},{"RegioS":"GM9999"},{"', "]", '"value":[', "\n", "é\u2028"])
def test_a_text_that_looks_like_the_end_of_a_row_is_a_text(text: str) -> None:
    rows = [{"RegioS": "GM0153", "StringValue": text}, {"RegioS": "GM0141", "StringValue": "b"}]
    body = orjson.dumps({"value": rows, "odata.nextLink": LINK})
    read = pages.rows(body, {"RegioS": pl.String, "StringValue": pl.String}, "CBS T")
    assert read.rows() == [("GM0153", text), ("GM0141", "b")]
    assert pages.next_link(body, "CBS T") == LINK


@pytest.mark.parametrize(
    "body",
    [
        {"value": ROWS, "odata.nextLink": LINK},
        {"odata.nextLink": LINK, "value": ROWS},
        {"@odata.context": "c", "value": ROWS, "@odata.nextLink": LINK},
    ],
)
def test_the_next_link_is_taken_verbatim_wherever_it_stands(body: dict[str, object]) -> None:
    assert pages.next_link(orjson.dumps(body), "CBS T") == LINK


def test_an_empty_page_has_no_rows_and_the_right_columns() -> None:
    read = pages.rows(b'{"odata.metadata":"m","value":[]}', SCHEMA, "CBS T")
    assert read.schema == SCHEMA
    assert read.is_empty()


def test_a_page_cut_off_anywhere_is_refused_by_name() -> None:
    body = orjson.dumps({"@odata.context": "c[1]", "value": ROWS, "@odata.nextLink": LINK})
    for end in range(len(body)):
        with pytest.raises(IncompleteAnswer, match="CBS T"):
            pages.next_link(body[:end], "CBS T")


@pytest.mark.parametrize(
    "body", [b"<html>onderhoud</html>", b"", b"[]", b"12", b'{"value":3}', b'{"error":{}}', b"\xff"]
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(IncompleteAnswer) as caught:
        pages.next_link(body, "CBS T")
    assert caught.value.remedy


def test_a_column_that_is_not_there_is_named() -> None:
    body = orjson.dumps({"value": [{"RegioS": "GM0153", "Value_2": 1.0}]})
    with pytest.raises(SourceChanged) as caught:
        pages.rows(body, SCHEMA, "CBS T")
    assert caught.value.column == "Value"
    assert "Value_2" in str(caught.value.value)


@pytest.mark.parametrize("value", ["12", "", True, [1], {"a": 1}])
def test_a_value_that_is_no_number_is_refused_not_lost(value: object) -> None:
    body = orjson.dumps({"value": [*ROWS, {"RegioS": "GM0153", "Value": value}]})
    with pytest.raises(SourceChanged, match="Value"):
        pages.rows(body, SCHEMA, "CBS T")
