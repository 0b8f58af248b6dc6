"""The first tables: study, readers, stimuli, trials, records, notes, bundles; all of them append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("study", "readers", "stimuli", "trials", "records", "notes", "bundles")
SHA256 = "length({0}) = 64"


def upgrade() -> None:
    """Make the tables, and let no row in them be changed or taken away."""
    _study_and_stimuli()
    _trials()
    _records()
    _notes_and_bundles()
    for table in TABLES:
        _append_only(table)


def _study_and_stimuli() -> None:
    _table(
        "study",
        sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),  # a single row
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("protocol", sa.Text, nullable=False),
        sa.Column("schedule_sha256", sa.Text, sa.CheckConstraint(SHA256.format("schedule_sha256")), nullable=False),
        sa.Column("program", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    _table(
        "readers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False, unique=True),
    )
    _table(
        "stimuli",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, sa.CheckConstraint(SHA256.format("sha256")), nullable=False),
    )


def _trials() -> None:
    _table(
        "trials",
        sa.Column("reader", sa.Text, sa.ForeignKey("readers.name"), primary_key=True),
        sa.Column("number", sa.Integer, sa.CheckConstraint("number >= 1"), primary_key=True),
        sa.Column("section", sa.Integer, sa.CheckConstraint("section >= 0"), nullable=False),
        sa.Column("first", sa.Text, sa.ForeignKey("stimuli.name"), nullable=False),
        sa.Column("second", sa.Text, sa.ForeignKey("stimuli.name")),
        sa.Column("plane", sa.Text, sa.CheckConstraint("plane IN ('axial', 'sagittal', 'coronal')"), nullable=False),
        sa.Column("position", sa.Float, sa.CheckConstraint("position BETWEEN 0 AND 1"), nullable=False),
        sa.Column("practice", sa.Integer, sa.CheckConstraint("practice IN (0, 1)"), nullable=False),
        sa.Column("feedback", sa.Text, sa.CheckConstraint("feedback = '' OR practice = 1"), nullable=False),
    )


def _records() -> None:
    _table(
        "records",
        sa.Column("reader", sa.Text, sa.ForeignKey("readers.name"), primary_key=True),
        sa.Column("seq", sa.Integer, sa.CheckConstraint("seq >= 1"), primary_key=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("trial", sa.Integer),
        sa.Column("revision", sa.Integer, sa.CheckConstraint("revision >= 0")),
        sa.Column("choice", sa.Text),
        sa.Column("difficulty", sa.Integer, sa.CheckConstraint("difficulty BETWEEN 1 AND 5")),
        sa.Column("confidence", sa.Integer, sa.CheckConstraint("confidence BETWEEN 1 AND 5")),
        sa.Column("response_time_ms", _BIG, sa.CheckConstraint("response_time_ms >= 0")),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, sa.CheckConstraint(SHA256.format("previous")), nullable=False),
        sa.Column("hash", sa.Text, sa.CheckConstraint(SHA256.format("hash")), nullable=False, unique=True),
        sa.ForeignKeyConstraint(("reader", "trial"), ("trials.reader", "trials.number")),
        sa.UniqueConstraint("reader", "trial", "revision"),
        sa.CheckConstraint("kind IN ('begin', 'answer', 'break', 'leave', 'resume', 'abandon', 'finish')"),
        sa.CheckConstraint("(kind = 'answer') = (trial IS NOT NULL AND revision IS NOT NULL AND choice IS NOT NULL)"),
        sa.CheckConstraint("(kind = 'answer') = (response_time_ms IS NOT NULL)"),
        sa.CheckConstraint("choice IN ('left', 'right', 'real', 'synthetic', 'cannot-tell', '')"),
    )


def _notes_and_bundles() -> None:
    _table(
        "notes",
        sa.Column("seq", sa.Integer, sa.CheckConstraint("seq >= 1"), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, sa.CheckConstraint(SHA256.format("previous")), nullable=False),
        sa.Column("hash", sa.Text, sa.CheckConstraint(SHA256.format("hash")), nullable=False),
    )
    _table(
        "bundles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("readers", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )


_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    for column in columns:
        if isinstance(column, sa.Column) and isinstance(column.type, sa.Float):
            column.type = sa.REAL() if op.get_bind().dialect.name == "sqlite" else sa.Double()
    op.create_table(name, *columns, sqlite_strict=True)


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    for act, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION {table}_append_only()"
        )


def downgrade() -> None:
    """There is nothing before the first tables."""
    raise NotImplementedError("a study's record is never taken back to an older form")
