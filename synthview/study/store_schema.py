"""The study's tables as queries name them; their constraints are made by ``migrations``."""

import sqlalchemy as sa

HEAD = "0001"
"""The newest migration: the version that this program writes."""

_tables = sa.MetaData()


def _table(name: str, *columns: str) -> sa.Table:
    whole = {"one", "place", "number", "section", "practice", "seq", "trial", "revision", "difficulty", "confidence"}
    kinds = {**dict.fromkeys(whole, sa.Integer), "position": sa.Double, "response_time_ms": sa.BigInteger}
    return sa.Table(name, _tables, *(sa.Column(column, kinds.get(column, sa.Text)) for column in columns))


study = _table("study", "one", "id", "title", "protocol", "schedule_sha256", "program", "at")
readers = _table("readers", "name", "place")
stimuli = _table("stimuli", "name", "sha256")
trials = _table("trials", "reader", "number", "section", "first", "second", "plane", "position", "practice", "feedback")
records = _table(
    "records",
    *("reader", "seq", "session", "kind", "trial", "revision", "choice", "difficulty", "confidence"),
    *("response_time_ms", "body", "at", "previous", "hash"),
)
notes = _table("notes", "seq", "kind", "body", "at", "previous", "hash")
bundles = _table("bundles", "id", "readers", "public_key", "at")
