"""Protocols: what is read is what was written, and what contradicts itself is named with line and field."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from synthview.errors import ProtocolError
from synthview.resources import resource_path
from synthview.study import protocol as whole
from synthview.study import protocol_screen, protocol_sections
from synthview.study.harmonise import Background, Harmonisation, Intensity
from synthview.study.protocol import Protocol, ReadingProtocol, SectionOrder, Sitting
from synthview.study.protocol_arms import DicomSource, FolderSource, GenerateSource
from synthview.study.protocol_questionnaire import Question, QuestionKind
from synthview.study.protocol_screen import Changes, Presentation, SectionKind, ShownAs, Tools
from synthview.volume.slicing import Plane

FULL = """\
format: synthview-protocol-1
title: Everything
instructions: |
  Look closely.
  Take your time.
consent: I agree.
readers: [ann, bob]
sitting: resumable
section_order: rotated
seed: 12
display_check: yes
questionnaire:
  - {name: expertise, question: "How far?", choices: [no, yes, 3]}
  - {name: years, kind: number, low: 0, high: 60}
  - {name: remarks, required: false}
arms:
  real: {folder: {path: scans, pattern: "*T1w.nii.gz"}}
  ct: {real: true, dicom: series}
  gan: {generate: {checkpoint: g.pth, count: 60, seed: 5, features: {age: 60}, truncation: 0.8, arguments: {size: 128}}}
  ldm: {generate: ldm}
  noise: {folder: noise}
harmonisation: {spacing_mm: 1.5, shape: [64, 64, 64], intensity: window, window: [-1000, 400], levels: 64}
sections:
  - kind: 2afc-real
    title: One
    compare: [[gan, real], [ct, ldm]]
    pairs: 6
    presentation: {shown_as: random-slice, planes: [axial, coronal], from_position: 0.4, to_position: 0.6}
    tools: {window: false}
    difficulty: {question: "Hard?", labels: [a, b, c, d, e]}
    practice: 2
    attention: {arm: noise, count: 2}
    repeats: 3
    per_reader: 8
    time_limit_s: 30
    break_every: 10
  - {kind: 2afc-synthetic, title: Two, compare: all, pairs: 4, attention: {arm: noise, count: 1}, difficulty: true}
  - {kind: turing, title: Three, volumes: {real: 4, gan: 4}, confidence: true, changes: until-section-end}
  - {kind: turing, title: Four, volumes: {ct: 4, ldm: 4}, cannot_tell: true, tools: {planes: true, volume_3d: true}}
  - {kind: rating, title: Five, volumes: {gan: 3}, items: [{name: realism}, {name: noise_level, labels: [a, b]}],
     reuse: true}
"""


def test_everything_that_can_be_said_is_read() -> None:
    protocol = Protocol.parse(FULL)
    assert protocol.instructions == "Look closely.\nTake your time."
    assert (protocol.readers, protocol.seed, protocol.display_check) == (("ann", "bob"), 12, True)
    assert (protocol.sitting, protocol.section_order) == (Sitting.RESUMABLE, SectionOrder.ROTATED)
    assert protocol.questionnaire[0].choices == ("no", "yes", "3")  # words, whatever YAML makes of them
    assert protocol.questionnaire[1] == Question("years", "Years", QuestionKind.NUMBER, low=0, high=60)
    sources = {name: arm.source for name, arm in protocol.arms.items()}
    assert sources["real"] == FolderSource("scans", "*T1w.nii.gz")
    assert sources["ct"] == DicomSource("series")
    assert sources["gan"] == GenerateSource("g.pth", 60, 5, {"age": 60.0}, 0.8, {"size": 128})
    assert [arm.real for arm in protocol.arms.values()] == [True, True, False, False, False]
    assert protocol.harmonisation == Harmonisation(
        1.5, (64, 64, 64), intensity=Intensity.WINDOW, window=(-1000, 400), levels=64
    )
    one, two, three, four, five = protocol.sections
    assert one.compare == (("real", "gan"), ("ct", "ldm"))  # the real arm first
    assert one.screen.presentation == Presentation(
        ShownAs.RANDOM_SLICE, (Plane.AXIAL, Plane.CORONAL), from_position=0.4, to_position=0.6
    )
    assert one.screen.tools == Tools(window=False)
    assert one.screen.difficulty is not None and one.screen.difficulty.labels == tuple("abcde")
    assert (one.item_count, one.trials_per_reader) == (12, 8 + 2 + 2 + 3)
    assert two.compare == (("gan", "ldm"),)  # the checks' arm is not compared
    assert two.screen.difficulty is not None and two.screen.difficulty.labels[0] == "extremely subtle"
    assert three.screen.confidence is not None and three.screen.changes is Changes.UNTIL_SECTION_END
    assert (three.screen.choices, four.screen.choices) == ((), ("real", "synthetic", "cannot-tell"))
    assert [len(item.labels) for item in five.screen.items] == [5, 2]


def test_what_is_written_is_read_back() -> None:
    protocol = Protocol.parse(FULL)
    assert Protocol.parse(protocol.to_yaml()) == protocol
    assert Protocol.from_dict(protocol.to_dict()) == protocol
    assert Protocol.parse(json.dumps(protocol.to_dict(), indent="\t")) == protocol
    screens = protocol.for_readers()
    assert ReadingProtocol.from_dict(json.loads(json.dumps(screens.to_dict()))) == screens


def test_a_number_of_readers_gives_their_names() -> None:
    text = FULL.replace("[ann, bob]", "12")
    assert Protocol.parse(text).readers[::11] == ("R01", "R12")
    assert Protocol.parse(text.replace("readers: 12", "readers: 120")).readers[0] == "R001"


def test_volumes_needed_count_every_use() -> None:
    needed = Protocol.parse(FULL).volumes_needed()
    # sections one, two, three, (reuse: no more) + practice; real also stands beside the attention checks
    assert needed == {
        "real": 6 + 4 + 1 + 2,
        "ct": 6 + 4 + 1,
        "gan": 6 + 4 + 4 + 1 + 1,
        "ldm": 6 + 4 + 4 + 1,
        "noise": 3,
    }


def test_what_readers_get_names_no_arm_and_no_file() -> None:
    text = json.dumps(Protocol.parse(FULL).for_readers().to_dict()).lower()
    for word in ("gan", "ldm", "scans", "g.pth", "seed", "compare", "volumes", "attention", "harmonisation"):
        assert word not in text


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("title: Everything", "titel: Everything", 2, "titel is not a field here"),
        ("title: Everything\n", "", 1, "title is missing"),
        ("protocol-1", "protocol-9", 1, "update synthview"),
        ("[ann, bob]", "0", 7, "readers must be a whole number from 1 to 1000"),
        ("[ann, bob]", "[ann, Ann]", 7, "different names"),
        ("[ann, bob]", '["a/b"]', 7, "readers must be names of letters"),
        ("sitting: resumable", "sitting: twice", 8, "sitting must be one of one, resumable, got 'twice'"),
        ("seed: 12", "seed: -1", 10, "seed must be a whole number of 0 or more"),
        ("seed: 12", "seed: 12\nseed: 13", 11, "seed is there twice"),
        ("display_check: yes", "display_check: perhaps", 11, "display_check must be true or false"),
        ("choices: [no, yes, 3]", "choices: [no]", 13, "choices must be two or more"),
        ("kind: number, low: 0", "kind: number, low: 90", 14, "low must be below high"),
        ("kind: number, ", "", 14, "low is for kind: number"),
        ("{folder: noise}", "{folder: noise, dicom: x}", 21, "arms.noise.dicom must be one of folder, dicom, generate"),
        ("{generate: ldm}", "{real: true, generate: ldm}", 20, "arms.ldm.real can't be true"),
        ("  noise: ", "  GAN: ", 21, "arms.GAN is there twice"),
        ("count: 60", "count: 3", 19, "count is 3, and the sections need 16 volumes of gan"),
        ("levels: 64", "levels: 2", 22, "levels must be 16 to 4096"),
        ("levels: 64", "level: 64", 22, "level"),
        ("kind: 2afc-real", "kind: 3afc", 24, "kind must be one of 2afc-real"),
        ("compare: [[gan, real]", "compare: [[gan, gan]", 26, "must be two different arms"),
        ("compare: [[gan, real]", "compare: [[gan, reel]", 26, "'reel' is none of the arms"),
        ("compare: [[gan, real]", "compare: [[gan, ldm]", 26, "must be a real and a synthetic arm"),
        ("[ct, ldm]]", "[real, gan]]", 26, "is there twice"),
        ("    pairs: 6\n", "", 24, "pairs is missing"),
        ("pairs: 6", "pairs: six", 27, "pairs must be a whole number from 1 to 100000, got 'six'"),
        ("from_position: 0.4", "from_position: 0.7", 28, "must not be above to_position"),
        ("from_position: 0.4", "position: 0.4", 28, "position is for volumes and fixed slices"),
        ("planes: [axial, coronal]", "planes: [axial, oblique]", 28, "'oblique'"),
        ("tools: {window: false}", "tools: {volume_3d: true}", 29, "can't be allowed where a random-slice is shown"),
        ("labels: [a, b, c, d, e]", "labels: [a, b, c, d]", 30, "labels must be five texts"),
        ("arm: noise, count: 2", "arm: real, count: 2", 32, "obviously not real"),
        ("repeats: 3", "repeats: 9", 33, "more than there are trials"),
        ("per_reader: 8", "per_reader: 80", 34, "the section has 12 different trials"),
        ("time_limit_s: 30", "time_limit_s: soon", 35, "time_limit_s must be a number"),
        ("volumes: {real: 4, gan: 4}", "volumes: {gan: 4}", 38, "of a real and of a synthetic arm"),
        ("volumes: {real: 4, gan: 4}", "pairs: 4", 38, "pairs is not for turing sections"),
        ("cannot_tell: true", "cannot_tell: true, confidence: true", 39, "exclude each other"),
        ("items: [{name: realism}, {name: noise_level, labels: [a, b]}]", "items: []", 40, "items is missing"),
        ("{name: noise_level", "{name: realism", 40, "'realism' is there twice"),
        ("title: Five", "title: The GAN in detail", 40, "names the arm 'GAN'"),
        ("Look closely.", "One of them is from ldm.", 3, "names the arm 'ldm'"),
        ("sitting: resumable", "sitting: &a resumable", 8, "anchors"),
        ("sitting: resumable", "sitting: [", 10, "correct it there"),
        ("Take your time.", "Take\x1b your time.", 5, "control character"),
    ],
)
def test_contradictions_are_named_with_line_and_field(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert FULL.count(old) >= 1
    path = tmp_path / "study.yaml"
    path.write_text(FULL.replace(old, new, 1))
    with pytest.raises(ProtocolError, match=message) as error:
        Protocol.load(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"title", b"\xff\xfe\x00", b"{" * 5000, b"a: " + b"x" * (1 << 20)])
def test_what_is_no_protocol_is_said_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(ProtocolError, match=re.escape(str(path))):
        Protocol.load(path)
    with pytest.raises(ProtocolError, match="could not be read"):
        Protocol.load(tmp_path / "nothing.yaml")


def test_the_examples_in_the_documentation_are_the_published_studies(checkout: Path) -> None:
    text = (checkout / "docs" / "studies.md").read_text("utf-8")
    parts = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    pairs, singles = (Protocol.parse(part) for part in parts if "format: synthview-scans" not in part)
    assert (len(pairs.readers), [section.trials_per_reader for section in pairs.sections]) == (12, [10, 30])
    assert (len(singles.readers), [section.trials_per_reader for section in singles.sections]) == (4, [50])
    screen = singles.sections[0].screen
    assert (screen.choices, screen.changes, screen.presentation.planes) == (
        ("real", "synthetic"),
        Changes.NEVER,
        (Plane.AXIAL,),
    )


def test_the_schema_says_what_the_types_say() -> None:
    schema = json.loads(resource_path("protocol.schema.json").read_text("utf-8"))
    parts = {name: set(part["properties"]) for name, part in schema["$defs"].items()}
    assert set(schema["properties"]) == set(whole._FIELDS)
    assert parts["section"] == {*protocol_screen._SCREEN_FIELDS, *protocol_sections._DESIGN_FIELDS}
    for name, kind in {
        "question": Question,
        "presentation": Presentation,
        "tools": Tools,
        "harmonisation": Harmonisation,
    }.items():
        assert parts[name] == {field.name for field in fields(kind)}
    generate = schema["$defs"]["arm"]["properties"]["generate"]["oneOf"][1]["properties"]
    assert set(generate) == {field.name for field in fields(GenerateSource)}
    section = schema["$defs"]["section"]["properties"]
    for said, meant in (
        (section["kind"], SectionKind),
        (section["changes"], Changes),
        (schema["properties"]["sitting"], Sitting),
        (schema["properties"]["section_order"], SectionOrder),
        (schema["$defs"]["presentation"]["properties"]["shown_as"], ShownAs),
        (schema["$defs"]["presentation"]["properties"]["planes"]["items"], Plane),
        (schema["$defs"]["question"]["properties"]["kind"], QuestionKind),
        (schema["$defs"]["harmonisation"]["properties"]["intensity"], Intensity),
        (schema["$defs"]["harmonisation"]["properties"]["background"], Background),
    ):
        assert said["enum"] == [str(value) for value in meant]
