"""A table of people, such as a BIDS ``participants.tsv``: a row for each volume, a column for each input."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from synthview.errors import WrongRequestError
from synthview.generators.features import encode_features
from synthview.generators.info import Feature
from synthview.generators.wording import listed
from synthview.tables import read_text, separator


def read_feature_table(
    path: Path, features: Sequence[Feature], count: int | None = None
) -> dict[str, tuple[float, ...]]:
    """Read the conditioning inputs of volumes from a CSV or TSV file with a header line.

    Args:
        path: the file; its columns may be separated by commas, semicolons or tabs.
        features: the generator's.  Columns of other names are left aside; a category is its number, its name, or how
            that alone begins (M, F).
        count: so many rows from the first, and no more are looked at; None for all.

    Returns:
        Feature to a number for each volume, of those that have a column.

    Raises:
        WrongRequestError: it can't be read, has no such column or too few rows, or a value is no number or out of its
            feature's range; says in which line.
    """
    text = read_text(path, WrongRequestError)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator(text), skipinitialspace=True)
    there = [feature for feature in features if feature.name in (rows.fieldnames or ())]
    if not there:
        wanted = f"{listed([f.name for f in features])}" if features else "none: this generator takes no features"
        raise WrongRequestError(f"{path} names no conditioning input in its first line; they are {wanted}")
    try:
        values = [_row(there, row, f"{path} line {rows.line_num}") for row in islice(rows, count)]
    except csv.Error as error:
        raise WrongRequestError(f"{path} line {rows.line_num} can't be read: {error}") from error
    if not values or len(values) < (count or 1):
        raise WrongRequestError(f"{path} has {len(values)} rows, and needs one for each of {count or 1} volumes")
    return {feature.name: column for feature, column in zip(there, zip(*values, strict=True), strict=True)}


def _row(features: Sequence[Feature], row: Mapping[str, str | None], where: str) -> list[float]:
    values = [_value(feature, (row.get(feature.name) or "").strip(), where) for feature in features]
    try:
        encode_features(features, dict(zip((f.name for f in features), values, strict=True)), 1)
    except WrongRequestError as error:
        raise WrongRequestError(f"{where}: {error}") from error
    return values


def _value(feature: Feature, text: str, where: str) -> float:
    names = [name.casefold() for name in feature.categories]
    meant = [name for name in names if name == text.casefold()] or [n for n in names if n.startswith(text.casefold())]
    if text and len(meant) == 1:
        return float(names.index(meant[0]))
    try:
        return float(text)
    except ValueError:
        found = repr(text) if text else "empty"
        choices = f" or one of {', '.join(feature.categories)}" if names else ""
        raise WrongRequestError(
            f"{where}: {feature.name} is {found}, not a number{choices}; fill it in, or leave the line out"
        ) from None
