"""``synthview study export`` and ``import``: bundles for readers elsewhere, and their answers back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import AsJson, make_folder, print_json, progress_line
from synthview.cli.study_make import Study
from synthview.errors import WrongRequestError


def export(
    path: Annotated[Path, typer.Argument(help="The study's folder; or a reader's bundle, to give its answers out.")],
    out: Annotated[Path, typer.Option(help="Folder for the bundles; of a bundle's answers, the file.")],
    *,
    reader: Annotated[
        list[str] | None, typer.Option(help="Whom for; several --reader share one bundle. Left out: one for each.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one blinded bundle for each reader, or for the readers of a site; or a bundle's signed answers."""
    written = _bundles(path, out, reader or []) if path.is_dir() else [_answers(path, out)]
    if as_json:
        print_json([str(one) for one in written])
        return
    for one in written:
        size = one.stat().st_size
        typer.echo(f"{one}  {size / 1e6:.1f} MB" if size > 1e6 else f"{one}  {size / 1e3:.0f} kB")


def import_(
    study: Study,
    files: Annotated[list[Path], typer.Argument(help="Response files that readers sent back.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Merge response files; doing it twice changes nothing, and altered or foreign files are refused."""
    from synthview.study.bundle_import import import_responses
    from synthview.study.study_folder import StudyFolder

    brought = []
    with StudyFolder.open(study) as opened:
        for file in files:
            one = import_responses(opened, file)
            brought.append({"file": str(file), "readers": list(one.readers), "answers": one.answers, "new": one.new})
            if not as_json:
                typer.echo(f"{file}: {', '.join(one.readers)}: {one.new} new of {one.answers} answers")
    if as_json:
        print_json(brought)


def _bundles(path: Path, out: Path, readers: list[str]) -> list[Path]:
    from synthview.study.bundle import SUFFIX
    from synthview.study.bundle_export import export_bundle
    from synthview.study.study_folder import StudyFolder

    with StudyFolder.open(path) as study:
        make_folder(out)
        groups = [readers] if readers else [[name] for name in study.store.readers]
        written = []
        for group in groups:
            target = out / f"{'-'.join(group) if len(group) <= 4 else f'{group[0]}-to-{group[-1]}'}{SUFFIX}"
            if target.exists():
                raise WrongRequestError(f"{target} exists already; choose another folder, or move it away")
            written.append(export_bundle(study, group, target, progress_line(target.name) or (lambda _: None)))
        return written


def _answers(path: Path, out: Path) -> Path:
    from synthview.study.bundle import ReaderBundle
    from synthview.study.bundle_export import RESPONSES_SUFFIX, export_responses

    with ReaderBundle.open(path) as bundle:
        return export_responses(bundle, out / f"{path.stem}{RESPONSES_SUFFIX}" if out.is_dir() else out)
