"""Protocol files: YAML or JSON in, YAML out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from synthview.errors import ProtocolError
from synthview.study.protocol_entries import Located

_DEEPEST = 12
_MOST_BYTES = 1 << 20  # a protocol is some pages of text


def read_located(path: Path, what: str = "protocol") -> Located:
    """What a protocol file says, with its lines.

    Args:
        path: the file.
        what: what the file is, for messages.

    Raises:
        ProtocolError: it can't be read, is too large, or is neither YAML nor JSON; names the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ProtocolError(f"{path} could not be read: {error.strerror or error}") from error
    if len(content) > _MOST_BYTES:
        raise ProtocolError(f"{path} is larger than a {what} can be (1 MB); choose the {what} file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{path} is not text in UTF-8 ({error.reason}); save it as UTF-8") from error
    return parse_located(text, str(path), what)


def parse_located(text: str, where: str, what: str = "protocol") -> Located:
    """What a protocol's text says, with its lines; ``where`` and ``what`` are for messages.

    Raises:
        ProtocolError: neither YAML nor JSON; names the line.
    """
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # JSON is YAML but for the tabs between its tokens
    try:
        _check_events(text, where, what)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise ProtocolError(f"{where} is empty; docs/studies.md shows a {what} to begin with")
        return _located(node, where)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ProtocolError(
            f"{where}{line}: {error.problem or error.context}; correct it there "
            "(texts with : ? # or , in them go into quotes)"
        ) from error
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise ProtocolError(f"{where}, line {number}: a control character is there; correct it there") from error


def _check_events(text: str, where: str, what: str) -> None:
    """Refuse what no protocol has and what would cost much to read: anchors, and lists in lists without end."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ProtocolError(f"{where}, line {line}: anchors (& and *) aren't used in a {what}; write it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ProtocolError(f"{where}, line {line}: this is nested too deeply for a {what}; correct it")


def to_yaml(content: Any) -> str:
    """Plain values as YAML that people read: in their order, long texts as blocks."""
    dumped: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return dumped


def canonical_json(content: Any) -> str:
    """The one JSON text of plain values: sorted, no spaces, UTF-8 as it is; what hashes are taken of."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _located(node: yaml.Node, where: str) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Located] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ProtocolError(f"{where}, line {key.start_mark.line + 1}: a field's name must be a plain word")
            if key.value in entries:
                raise ProtocolError(f"{where}, line {key.start_mark.line + 1}: {key.value} is there twice; keep one")
            entry = _located(value, where)
            entries[key.value] = Located(entry.value, key.start_mark.line + 1)
        return Located(entries, line)
    if isinstance(node, yaml.SequenceNode):
        return Located([_located(item, where) for item in node.value], line)
    is_null = node.tag == "tag:yaml.org,2002:null"
    return Located(None if is_null else str(node.value), line)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Texts of several lines as | blocks, short lists of scalars in one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    flat = all(isinstance(item, str | int | float) for item in items) and len(str(items)) < 80
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
