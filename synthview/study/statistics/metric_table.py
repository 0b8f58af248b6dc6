"""Reads a table of metrics per volume, to be set against the readers' votes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthview.errors import ResponsesError
from synthview.tables import read_text, separator

_NAMES = ("item", "volume", "file", "name")


@dataclass(frozen=True)
class MetricValue:
    """One metric of one volume.

    Attributes:
        item: the pair or stimulus that the volume was shown in.
        arm: which volume of a pair; empty where the item is a single stimulus.
        metric: its name.
        value: a finite number.
    """

    item: str
    arm: str
    metric: str
    value: float


def read_metrics(path: Path | str) -> list[MetricValue]:
    """Read a CSV table: a column ``item`` (or ``volume``, ``file``, ``name``), ``arm`` if there is one, and metrics.

    Wide (one column a metric; columns without any number are left aside) or long (columns ``metric`` and ``value``).
    A file name counts without its folder and ending. Empty fields are skipped.

    Raises:
        ResponsesError: it can't be read, has no column that names items, or no number; or a field of a metric is no
            number (the message names line and column).
    """
    path = Path(path)
    text = read_text(path, ResponsesError)
    if not text.strip():
        raise ResponsesError(f"{path.name} is empty: it needs a header line with item and one column for each metric")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator(text))
    columns = [name.strip() for name in rows.fieldnames or []]
    key = next((name for name in columns if name.casefold() in _NAMES), None)
    if key is None:
        raise ResponsesError(
            f"{path.name} line 1 names none of the columns {', '.join(_NAMES)}; it has {', '.join(columns)}"
        )
    lines = [(rows.line_num, {(k or "").strip(): (v or "") for k, v in row.items() if k is not None}) for row in rows]
    values = list(_values(path.name, key, columns, lines))
    if not values:
        raise ResponsesError(f"{path.name} holds no metric: no column beside {key} has a number")
    return values


def _values(name: str, key: str, columns: list[str], lines: list[tuple[int, dict[str, str]]]) -> Iterator[MetricValue]:
    arm = next((column for column in columns if column.casefold() == "arm"), None)
    long = {"metric", "value"} <= set(columns)
    metrics = ["value"] if long else _numeric(columns, {key, arm}, lines)
    for line, row in lines:
        for column in metrics:
            text = row.get(column, "").strip()
            if text:
                metric = row["metric"].strip() if long else column
                where = f"{name} line {line}, {column}"
                yield MetricValue(
                    _stem(row[key].strip()), row[arm].strip() if arm else "", metric, _number(text, where)
                )


def _numeric(columns: list[str], others: set[str | None], lines: list[tuple[int, dict[str, str]]]) -> list[str]:
    """Columns whose first entry is a number: names and notes aren't metrics."""
    first = {c: next((row[c] for _, row in lines if row.get(c, "").strip()), "") for c in columns if c not in others}
    return [column for column, text in first.items() if _is_number(text)]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(text: str, where: str) -> float:
    if not _is_number(text):
        raise ResponsesError(f"{where}: {text!r} is not a number (leave it empty where there is none)")
    return float(text)


def _stem(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    for ending in (".nii.gz", ".nii"):
        base = base.removesuffix(ending)
    return base
