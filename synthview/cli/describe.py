"""``synthview describe``: say of a checkpoint what its weights can't, and keep it as its manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synthview.cli.shared import Arguments, AsJson, Checkpoint, Family, parse_pairs, print_json
from synthview.errors import WrongRequestError


def describe(  # noqa: PLR0917  (typer: one parameter for each option)
    checkpoint: Checkpoint,
    entries: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field of the manifest, such as licence=CC-BY-4.0 or output.spacing=[2,2,2].",
        ),
    ] = [],  # noqa: B006
    manifest: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A manifest to start from [what is known so far].")
    ] = None,
    family: Family = None,
    arg: Arguments = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Keep a manifest for a checkpoint, beside it or (where that can't be written) for this user; print where."""
    from synthview.generators.describing import describe_checkpoint
    from synthview.generators.loading import inspect_checkpoint
    from synthview.generators.manifest_draft import draft_of
    from synthview.generators.manifest_entries import read_json

    arguments = parse_pairs(arg, "--arg")
    if manifest is not None:
        content = read_json(manifest)
    else:
        content = draft_of(inspect_checkpoint(checkpoint, family, arguments).info, unnamed_features=False)
    if not isinstance(content, dict):
        raise WrongRequestError(f"{manifest} must hold a JSON object; see docs/manifest.md")
    for name, text in parse_pairs(entries, "--set").items():
        _put(content, name, text)
    path = describe_checkpoint(checkpoint, content, family, arguments)
    if as_json:
        print_json({"manifest": str(path)})
    else:
        typer.echo(path)


def _put(content: dict[str, Any], name: str, text: str) -> None:
    """Set a field: a JSON value where the text is one, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    outer, _, inner = name.partition(".")
    if not inner:
        content[outer] = value if outer in {"output", "features", "arguments", "metrics"} else text
        return
    holder = content.setdefault(outer, {})
    if not isinstance(holder, dict):
        raise WrongRequestError(f"--set {name} can't be: {outer} is not a group of fields; give it in a file, --from")
    holder[inner] = value
