"""Makes the tables of a new record, and brings an older record to the form that this program writes."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from synthview.errors import StoreError
from synthview.study import store_schema
from synthview.study.store_engine import reading, writing

_LOCK = 7_266_201  # any number that all synthviews share: one of them upgrades, the others wait


def upgrade(engine: sa.Engine, where: str, schema: str = "") -> None:
    """Run the migrations that are missing, all or none.

    Raises:
        StoreError: made by a newer synthview, or it can't be written.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with writing(engine, where) as connection:
        if schema:
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_version(engine: sa.Engine, where: str) -> bool:
    """Whether the record has this program's form already; False if it is older.

    Raises:
        StoreError: not a study's record, or made by a newer synthview.
    """
    with reading(engine, where) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            raise StoreError(f"{where} is not a study's record; choose the study's folder")
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    if version == store_schema.HEAD:
        return True
    known = {path.name[1:5] for path in (Path(__file__).parent / "migrations" / "versions").glob("v*.py")}
    if version not in known:
        raise StoreError(
            f"{where} was made by a newer synthview (its form is {version}, and this one knows up to "
            f"{store_schema.HEAD}); update synthview"
        )
    return False
