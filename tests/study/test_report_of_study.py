"""From a study that was walked to its report: methods, check lists, pictures of the pairs."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from synthview.cli.main import run
from synthview.study.report.from_study import study_facts
from synthview.study.report.pictures import pair_png
from synthview.study.results import study_results
from synthview.study.session import ReadingSession
from synthview.study.statistics.analyse import analyse
from synthview.study.study_folder import StudyFolder
from synthview.volume import Volume, Window
from synthview.volume.slicing import Plane
from tests.study.small_study import PASSPHRASE, PUBLISHED, make_study, walk


def test_pictures_show_the_slice_that_was_shown(tmp_path: Path) -> None:
    """The mark: one bright voxel at right, anterior, superior is drawn top left (radiological)."""
    voxels = np.zeros((4, 5, 6), dtype=np.uint8)
    voxels[-1, -1, -1] = 200
    volume = Volume(voxels, np.eye(4), window=Window(100, 200))
    (tmp_path / "p.png").write_bytes(pair_png([volume, volume], Plane.AXIAL, 1.0))
    picture = imread(tmp_path / "p.png")[..., 0]
    assert picture.shape == (220, 176 * 2 + 6)
    assert picture[5, 5] == 1.0
    assert picture[5, 150] == 0.0
    assert picture[200, 5] == 0.0
    (tmp_path / "low.png").write_bytes(pair_png([volume], Plane.AXIAL, 0.0))
    assert imread(tmp_path / "low.png")[..., 0].max() == 0.0


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "study"
    with make_study(folder, PUBLISHED) as study:
        for reader in ("R01", "R02", "R03"):
            with ReadingSession.begin(study, reader) as session:
                walk(session, None if reader != "R03" else 9)
    return folder


def test_the_study_says_its_methods(walked: Path) -> None:
    with StudyFolder.open(walked) as study:
        key = study.key(PASSPHRASE)
        found = study_results(study, key)
        analysis = analyse(found.votes, notes=found.left_out)
        facts = study_facts(study, key, analysis)
    text = " ".join(facts.methods)
    assert facts.title == "Real or synthetic?"
    assert "seed 20240501" in text
    assert "none" in text
    assert "one sitting" in text
    assert "zebragan" in text
    assert "generators" in facts.provides
    assert len(facts.thumbnails) == 6
    assert all(picture.startswith(b"\x89PNG") for picture in facts.thumbnails.values())
    assert all("quaggaldm · zebragan" in caption for caption in facts.captions.values())


def test_the_command_writes_the_report(walked: Path, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    out = tmp_path / "out"
    arguments = ["--out", str(out), "--passphrase-file", str(tmp_path / "passphrase")]
    assert run(["study", "results", str(walked), *arguments]) == 0
    html = (out / "report.html").read_text("utf-8")
    assert "Readers with fewer answers than others" in html
    assert "R03" in html
    assert html.count("data:image/png") == 6
    assert {"report.pdf", "readers.csv", "trials.csv", "responses.csv", "results.json"} <= {
        p.name for p in out.iterdir()
    }
