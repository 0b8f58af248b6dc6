"""The long table of votes: what is written is read again; what can't be meant is refused by line and column."""

from pathlib import Path

import pytest

from synthview.errors import ResponsesError, SaveError
from synthview.study.votes import COLUMNS, Kind, Side, Vote
from synthview.study.votes_csv import parse_votes, read_votes, votes_text, write_votes

HEADER = ",".join(COLUMNS)


def every_kind() -> list[Vote]:
    return [
        Vote(
            "R1", "real or not", Kind.TWO_AFC, "pair 1", "real", "GAN, large", Side.LEFT, True, "", "resident", 4, 812.5
        ),
        Vote("R1", "which", Kind.TWO_AFC, "pair 2", "A", "B", Side.RIGHT),
        Vote("R1", "which", Kind.TWO_AFC, "pair 3", "B", "A"),
        Vote("R2", "Turing", Kind.TURING, "s1", "A", answer="real", correct=False, response_time_ms=123456.0),
        Vote("R2", "ROC", Kind.TURING, "s2", "real", answer="4"),
        Vote("R2", "Turing", Kind.TURING, "s3", "real", answer="can't tell"),
        Vote("R2", "quality/noise", Kind.RATING, "s1", "A", answer="5"),
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    write_votes(path, every_kind())
    assert path.read_text("utf-8").splitlines()[0] == HEADER
    assert read_votes(path) == every_kind()
    assert [vote.answered for vote in read_votes(path)] == [True, True, False, True, True, True, True]
    assert list(tmp_path.iterdir()) == [path]


def test_a_spreadsheets_table_is_understood() -> None:
    text = "\ufeff".encode().decode("utf-8-sig") + (
        "Item;Kind;reader;arm left;arm_right;Chosen;remark;response_time_ms\r\n"
        "p1;2AFC;R1;Real;A;L;fine;812,5\r\n;;;;;;;\r\n"
    )
    assert parse_votes(text) == [Vote("R1", "2afc", Kind.TWO_AFC, "p1", "real", "A", Side.LEFT, response_time_ms=812.5)]


def test_a_turing_answer_and_its_truth_follow_from_each_other() -> None:
    rows = ["R1,,T,turing,a,real,,,true,,,", "R1,,T,turing,b,A,,,false,,,", "R1,,T,turing,c,A,,,,synthetic,,"]
    votes = parse_votes("\n".join([HEADER, *rows]))
    assert [(vote.answer, vote.correct) for vote in votes] == [("real", True), ("real", False), ("synthetic", True)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("R1,,S,3afc,p,A,B,left,,,,", "line 2, kind: '3afc' is none of 2afc, turing, rating"),
        (",,S,2afc,p,A,B,left,,,,", "line 2, reader: is empty"),
        ("R1,,S,2afc,p,A,,left,,,,", "line 2, arm_right: is empty"),
        ("R1,,S,2afc,p,A,B,middle,,,,", "line 2, chosen: 'middle' is neither left nor right"),
        ("R1,,S,2afc,p,A,B,left,maybe,,,", "line 2, correct: 'maybe' is neither true nor false"),
        ("R1,,S,2afc,p,A,B,left,,,6,", "line 2, difficulty: '6' is not a whole number from 1 to 5"),
        ("R1,,S,2afc,p,A,B,left,,,3,-5", "line 2, response_time_ms: '-5' is not a time"),
        ("R1,,S,turing,p,A,B,,,real,,", "line 2, arm_right: is 'B', but a turing trial shows one"),
        ("R1,,S,turing,p,A,,,,fake,,", "line 2, answer: 'fake' is not real, synthetic"),
        ("R1,,S,turing,p,real,,,false,real,,", "line 2, correct: is false, but the answer real"),
        ("R1,,S,rating,p,A,,,,good,,", "line 2, answer: 'good' is not a number"),
        ("R1,,S,rating,p,A,,,,nan,,", "line 2, answer: 'nan' is not a number"),
        ("R1,,S,2afc,p,A,B,left,,,3,5,extra", "line 2 has 13 fields where the header names 12"),
    ],
)
def test_a_wrong_field_is_named(row: str, says: str) -> None:
    with pytest.raises(ResponsesError, match="votes.csv " + says.replace("(", r"\(")) as error:
        parse_votes(f"{HEADER}\n{row}\n{row}\n", "votes.csv")
    assert "and 1 more" in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (HEADER, "no responses"),
        ("reader,kind\nR1,2afc\n", "line 1 lacks the column item, arm_left; it has reader, kind"),
        (HEADER + ",reader\n", "line 1 names the column reader twice"),
        ("reader,kind,item,arm_left,arm_right,choice\nR1,2afc,p,A,B,left\n", "chosen: there is no such column"),
    ],
)
def test_a_wrong_table_is_refused(text: str, says: str) -> None:
    with pytest.raises(ResponsesError, match=says):
        parse_votes(text)


def test_a_file_that_cant_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(ResponsesError, match="can't be read"):
        read_votes(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\nR\xe9mi,,")
    with pytest.raises(ResponsesError, match="not UTF-8"):
        read_votes(tmp_path / "latin.csv")
    with pytest.raises(SaveError, match="can't be written"):
        write_votes(tmp_path / "no folder" / "out.csv", every_kind())
    assert votes_text([]) == HEADER + "\n"
