"""What tells who somebody is, is found by title and by content; what only looks a bit like it is let through."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyreadstat
import pytest

from sources.errors import PersonalData
from sources.survey.identifiers import pseudonyms
from tests.sources.survey.small_wave import FILE, columns, frame, read, wave, with_column, write

# Numbers that pass the 11-proof of citizen service numbers; the first two are the tax authority's examples for tests.
BSN = ["111222333", "123456782", "010464554", "999996356", "999991723", "999990019", "999990160", "999994475"]
# The same digits with one changed, and others: they fail it.
NO_BSN = ["111222334", "123456789", "010464555", "999996357", "999991724", "999990020", "999990161", "999994476"]


def refusal(folder: Path, text: str) -> PersonalData:
    with pytest.raises(PersonalData) as caught:
        read(write(folder, text))
    return caught.value


@pytest.mark.parametrize(
    ("cells", "what", "rows"),
    [
        (["j.jansen@voorbeeld.nl"], "an e-mail address", 8),
        (["", "", "mail mij: jan@voorbeeld.nl!", ""], "an e-mail address", 2),
        (["0612345678"], "a telephone number", 8),
        (["06-12345678", "+31 6 12345678", "0031612345678", "+31(0)53 4878787"], "a telephone number", 8),
        (["053-487 87 87", ""], "a telephone number", 4),
        (["612345678", "687654321"], "a telephone number", 8),
        (["7511 AB", "7556cd", "", ""], "a full postcode", 4),
        (["ik woon in 7511 AB Enschede", ""], "a full postcode", 4),
        (BSN, "a citizen service number (BSN)", 8),
        ([*BSN[:6], "", "onbekend"], "a citizen service number (BSN)", 6),
        (["1112.22.333", *BSN[1:]], "a citizen service number (BSN)", 8),
        ([number.lstrip("0") for number in BSN], "a citizen service number (BSN)", 8),
        (["192.168.12.7", ""], "an IP address", 4),
        (["2001:0db8:85a3:0000:0000:8a2e:0370:7334", "fe80::1"], "an IP address", 8),
        (["NL91ABNA0417164300", "NL91 ABNA 0417 1643 00"], "a bank account (IBAN)", 8),
        (["1984-03-12", "12-03-1951"], "a date of birth", 8),
    ],
    ids=lambda value: str(value)[:24],
)
def test_contents_are_recognised_whatever_the_column_is_called(
    tmp_path: Path, cells: list[str], what: str, rows: int
) -> None:
    error = refusal(tmp_path, with_column("v77", cells))
    assert error.column == "v77"
    assert f"looks like {what}, in {rows} row" in str(error)
    assert "columns.drop" in str(error)
    assert error.value is None
    assert not any(cell and cell in str(error) for cell in cells)


@pytest.mark.parametrize(
    "title",
    [
        *(
            "naam",
            "Voornaam",
            "naam_respondent",
            "RespondentNaam",
            "E-mail",
            "e_mail",
            "EMail",
            "emailadres",
            "telefoon",
        ),
        *("Telefoon_nr", "mobiel", "adres", "huisnummer", "BSN", "bsn_nummer", "IP", "ip_adres", "IPAddress"),
        *("geboortedatum", "iban", "surname", "phone"),
    ],
)
def test_a_title_is_enough(tmp_path: Path, title: str) -> None:
    error = refusal(tmp_path, with_column(title, ["x", "y", ""]))
    assert error.column == title
    assert "in 6 rows" in str(error)


def test_a_postcode_of_four_digits_is_none_and_one_of_six_is(tmp_path: Path) -> None:
    read(write(tmp_path, with_column("postcode", ["7511", "7556", ""])))
    assert refusal(tmp_path, with_column("postcode", ["7511 AB"])).column == "postcode"
    assert refusal(tmp_path, with_column("postcode", ["7511", "anders"])).column == "postcode"


RANDOM = random.Random(4)  # noqa: S311 - no secret


@pytest.mark.parametrize(
    ("title", "cells"),
    [
        ("gemeentenaam", ["Enschede"]),
        ("naam_gemeente", ["Enschede"]),
        ("bestandsnaam", ["golf 1"]),
        ("voornaamste_reden", ["1"]),
        ("v_email_gebruik", [""]),
        ("opening", ["1"]),
        ("ipsos_nr", ["1", "2"]),
        ("v2b", NO_BSN),
        ("v2b", ["12345678", "23456789"]),
        ("v2b", [str(100_000_000 + n) for n in range(8)]),
        ("v2b", [str(RANDOM.randrange(10**8, 10**9)) for _ in range(8)]),
        ("v2b", ["0.6123456789", "1.0612345678", "12345678.25"]),
        ("v2b", ["1.612345678901"]),
        ("v2b", ["2022-06-03", "2022-06-04"]),
        ("v2b", ["12:34:56", "09:01:02"]),
        ("v2b", ["2022-06-03 12:34:56"]),
        ("v2b", ["7511", "7556"]),
        ("v2b", ["1000 km verderop", "wij zijn met 1500 man"]),
        ("v2b", ["SYN-2022-000123"]),
        ("v2b", ["6c84fb90-12c4-11e1-840d-7b25c5ee775a"]),
        ("v2b", ["0000000123", "0000000124"]),
        ("v2b", [hashlib.sha256(str(n).encode()).hexdigest() for n in range(8)]),
        ("v2b", ["1.2.3"]),
        ("v2b", ["GM0153", "GM0164"]),
        ("v2b", ["1", "2", "9", "99"]),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_identifier_is_let_through(tmp_path: Path, title: str, cells: list[str]) -> None:
    read(write(tmp_path, with_column(title, cells)))


@pytest.mark.parametrize(
    "id_of",
    [
        lambda n: str(300_000_000 + n),
        lambda n: str(610_000_000 - 800 + n),
        lambda n: f"{n:010}",
        lambda n: hashlib.sha256(str(n).encode()).hexdigest(),
        lambda n: str(uuid.UUID(hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest())),
        lambda n: hashlib.sha256(str(n).encode()).hexdigest()[:8],
    ],
    ids=["in a row", "about 610 million", "padded", "hash", "uuid", "short hash"],
)
def test_ids_of_many_respondents_are_no_identifiers(tmp_path: Path, id_of: Callable[[int], str]) -> None:
    rows = [line.split(",") for line in FILE.splitlines()[1:]]
    many = [[row[0], id_of(8 * n + i), *row[2:]] for n in range(200) for i, row in enumerate(rows)]
    text = "\n".join([FILE.splitlines()[0], *(",".join(row) for row in many)]) + "\n"
    assert read(write(tmp_path, text)).frame["respondent"].n_unique() == 1600


def test_a_question_may_be_called_anything(tmp_path: Path) -> None:
    text = FILE.replace(",v2,", ",telefoon,")
    described = wave().model_dump(mode="json")
    described["dimensions"][0]["items"][1]["column"] = "telefoon"
    assert read(write(tmp_path, text), wave(dimensions=described["dimensions"])).items == ["health", "ill"]


def test_what_is_used_as_id_is_looked_at_too(tmp_path: Path) -> None:
    rows = [line.split(",") for line in FILE.splitlines()]
    text = "\n".join(",".join([row[0], f"{row[1]}@x.nl" if n else row[1], *row[2:]]) for n, row in enumerate(rows))
    assert refusal(tmp_path, text + "\n").column == "nummer"


def test_a_label_of_spss_gives_a_column_away(tmp_path: Path) -> None:
    path = tmp_path / "answers.sav"
    data = frame().with_columns(q1=pl.lit("x"), q2=pl.lit(1.0))
    pyreadstat.write_sav(data, str(path), column_labels={"q1": "Uw naam", "q2": "Hoe vaak belt u met de telefoon?"})
    with pytest.raises(PersonalData) as caught:
        read(path)
    assert caught.value.column == "q1"


def test_what_the_description_drops_is_gone_before_anything_sees_it(tmp_path: Path) -> None:
    text = with_column("telefoon", ["0612345678"], with_column("naam", ["ZEBRA7"]))
    path = write(tmp_path, text)
    with pytest.raises(PersonalData, match=r"(?s)column naam.*The same goes for: telefoon\."):
        read(path)
    answers = read(path, wave(columns=columns(drop=["naam", "telefoon", "iban"])))
    assert answers.dropped == ["naam", "telefoon"]
    assert "direct identifiers dropped unread: naam, telefoon" in answers.notes
    assert "ZEBRA7" not in answers.frame.write_json()


def test_only_columns_that_are_described_are_kept(tmp_path: Path) -> None:
    answers = read(write(tmp_path, with_column("vrije_tekst", ["ZEBRA7"])))
    assert "ZEBRA7" not in answers.frame.write_json()


def test_an_empty_column_is_no_identifier(tmp_path: Path) -> None:
    read(write(tmp_path, with_column("telefoon", [""])))


def test_without_an_id_there_is_no_pseudonym() -> None:
    assert pseudonyms(pl.Series(["x", None]), b"k").is_null().to_list() == [False, True]
