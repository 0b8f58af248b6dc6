"""Scan lists: what they say, and every mistake with file, line and field."""

import json
import re
from pathlib import Path

import pytest

from synthview.errors import ProtocolError, StudyError
from synthview.study.demo import demo_scan_list
from synthview.study.scan_list import bytes_text, read_scan_list

LIST = """format: synthview-scans-1
name: Heads of nobody
licence: cc-by-4.0
citation: Nobody et al. (2026)
files:
  - url: https://scans.example/one/head%2D1.nii.gz
    sha256: HASH
    bytes: 1500000
  - url: https://scans.example/two/head-1.nii.gz
    name: other.nii
    sha256: HASH
    bytes: 500
""".replace("HASH", "ab" * 32)


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str) -> Path:
        path = tmp_path / "list.yaml"
        path.write_text(text, "utf-8")
        return path

    return written


def test_it_says_what_a_person_must_know(write):
    scans = read_scan_list(write(LIST))
    assert [file.name for file in scans.files] == ["head-1.nii.gz", "other.nii"]
    assert scans.facts() == {
        "Scans": "Heads of nobody",
        "Files": "2 files, 1.5 MB",
        "From": "scans.example",
        "Licence": "CC-BY-4.0 (https://spdx.org/licenses/CC-BY-4.0.html)",
        "Citation": "Nobody et al. (2026)",
    }


def test_the_example_in_the_documentation_is_one(write, checkout):
    text = (checkout / "docs" / "studies.md").read_text("utf-8")
    (example,) = (part for part in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "synthview-scans" in part)
    assert [file.name for file in read_scan_list(write(example)).files] == ["sub-01_T1w.nii.gz", "sub-02_T1w.nii.gz"]


def test_a_licence_in_words_needs_a_link(write):
    words = LIST.replace("cc-by-4.0", "the terms of Nobody")
    with pytest.raises(
        ProtocolError, match=r"line 3: licence 'the terms of Nobody' is no SPDX identifier.*licence_link"
    ):
        read_scan_list(write(words))
    link = words.replace("citation", "licence_link: https://scans.example/terms\ncitation", 1)
    assert read_scan_list(write(link)).facts()["Licence"].endswith("(https://scans.example/terms)")


def test_the_folder_is_of_these_scans(write):
    first = read_scan_list(write(LIST)).folder_name
    assert first.startswith("heads-of-nobody-")
    assert read_scan_list(write(LIST.replace("scans.example", "mirror.example"))).folder_name == first
    assert read_scan_list(write(LIST.replace("ab" * 32, "cd" * 32))).folder_name != first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("synthview-scans-1", "other", "line 1: format must be one of synthview-scans-1, got 'other'"),
        ("name: Heads of nobody\n", "", "name is missing"),
        ("citation: Nobody et al. (2026)\n", "", "citation is missing"),
        ("licence: cc-by-4.0\n", "", "licence is missing"),
        ("licence: cc-by-4.0", "license: cc-by-4.0", "license is not a field here"),
        ("https://scans.example/one", "file:///one", r"line 6: files\[1\].url must be a web address"),
        ("https://scans.example/one", "https://me:secret@scans.example", r"files\[1\].url must be a web address"),
        ("https://scans.example/one", "https://[scans", r"files\[1\].url must be a web address"),
        ("head%2D1.nii.gz", "..%2F..%2Fhead.nii.gz", r"files\[1\].url gives the file name '../../head.nii.gz'"),
        ("name: other.nii", "name: ../other.nii", r"line 10: files\[2\].name gives the file name '../other.nii'"),
        ("name: other.nii", r"name: C:\other.nii", r"files\[2\].name gives the file name"),
        ("name: other.nii", "name: .other.nii", r"files\[2\].name gives the file name"),
        ("name: other.nii", "name: con.nii", r"files\[2\].name gives the file name"),
        ("name: other.nii", "name: other.zip", r"name must end in .nii or .nii.gz"),
        ("name: other.nii", "name: HEAD-1.nii.gz", r"files\[2\].name 'HEAD-1.nii.gz' is there twice"),
        ("ab" * 32, "ab" * 16, r"files\[1\].sha256 must be 64 hexadecimal digits, got 32 characters"),
        ("bytes: 500", "bytes: -1", r"line 12: files\[2\].bytes must be a whole number"),
        ("    bytes: 500\n", "", r"files\[2\].bytes is missing"),
        ("Nobody et al. (2026)", '"\\e[2J"', "citation has control characters"),
        ("format: ", "- format: ", "line 2: "),
    ],
)
def test_a_mistake_is_named(write, old, new, said):
    assert old in LIST
    path = write(LIST.replace(old, new, 1))
    with pytest.raises(ProtocolError, match=said) as caught:
        read_scan_list(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_list(write, tmp_path):
    for text, said in (("", "is empty; docs/studies.md shows a scan list"), ("- 1", "the file must be entries")):
        with pytest.raises(ProtocolError, match=said):
            read_scan_list(write(text))
    with pytest.raises(ProtocolError, match="could not be read"):
        read_scan_list(tmp_path / "nowhere.yaml")
    none = json.dumps({"format": "synthview-scans-1", "files": []})
    with pytest.raises(ProtocolError, match="files must be a list of one or more"):
        read_scan_list(write(none))


def test_the_demo_study_needs_some_scans(write):
    with pytest.raises(StudyError, match=r"lists 2 scans and the demo study needs 4; add some"):
        demo_scan_list(write(LIST))


def test_bytes_for_people():
    assert [bytes_text(count) for count in (1, 1500, 2_000_000, 3_210_000_000)] == [
        "1 B", "1.5 kB", "2.0 MB", "3.2 GB",
    ]  # fmt: skip
