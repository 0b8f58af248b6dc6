"""``synthview study analyse``, called as the shell calls it."""

import json
from pathlib import Path

import pytest

from synthview.cli.main import run
from synthview.study.votes_csv import write_votes
from tests.study.made_votes import PUBLISHED, preference_votes, turing_votes


@pytest.fixture
def responses(tmp_path: Path) -> Path:
    path = tmp_path / "responses.csv"
    write_votes(path, [*preference_votes(PUBLISHED), *turing_votes()])
    return path


def test_json_lists_every_result(responses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "analyse", str(responses), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    keys = "section question scope unit method statistic df p p_holm estimate ci_low ci_high n warnings sentence"
    assert all(list(result) == keys.split() for result in results)
    assert {result["section"] for result in results} == {"which", "Turing"}


def test_sentences_for_people(responses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "analyse", str(responses)]) == 0
    text = capsys.readouterr().out
    assert "Readers preferred A: 59.7 % of votes" in text
    assert "! Below chance" in text
    assert "item p1" not in text


def test_a_wrong_table_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text("reader,kind,item,arm_left,arm_right,chosen\nR1,2afc,p1,A,B,up\n")
    assert run(["study", "analyse", str(tmp_path / "bad.csv")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("synthview: bad.csv line 2, chosen: 'up'")
    assert error.count("\n") == 1
    assert run(["study", "analyse", str(tmp_path / "none.csv")]) == 1
    assert "can't be read" in capsys.readouterr().err
