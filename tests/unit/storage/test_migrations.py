"""Migrations: from an empty database and from any older version, the tables end as the code expects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory

from bot.edits.model import EditCommand, Operation, State, StoredMask
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.storage import migrations
from bot.storage.database import Database, make_engine
from bot.storage.tables import metadata, rate_limits

ROOT = Path(__file__).resolve().parents[3]
FIRST = "0001"
BEFORE_RENAMING = "0005"
"""The last version with the tables wishes and paces."""


def url(folder: Path, name: str = "bot.sqlite") -> str:
    return f"sqlite:///{folder / name}"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = make_engine(url(tmp_path))
    yield engine
    engine.dispose()


def config() -> Config:
    found = Config()
    found.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return found


def bring_to(engine: sa.Engine, version: str) -> None:
    """Migrate to an older version, as an older program did."""
    older = config()
    with engine.connect() as connection:
        older.attributes["connection"] = connection
        command.upgrade(older, version)
        connection.commit()


def version_of(engine: sa.Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(sa.text(f"SELECT version_num FROM {migrations.VERSION_TABLE}")).scalar_one())


def newest() -> str:
    return str(ScriptDirectory.from_config(config()).get_current_head())


def shape(engine: sa.Engine) -> dict[str, Any]:
    """Columns, keys and indexes of all tables."""
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)
            ],
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted((i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes(table)),
            "unique": sorted(u["column_names"] for u in inspector.get_unique_constraints(table)),
        }
        for table in inspector.get_table_names()
        if table != migrations.VERSION_TABLE
    }


def row(number: int, **values: Any) -> dict[str, Any]:
    """An edit's row as the first version wrote it."""
    known = {"id": f"id-{number}", "key": f"key-{number}", "person": 7, "chat": 7, "message": number}
    known |= {
        "operation": "erase",
        "file_id": "file",
        "file_unique_id": "unique",
        "as_file": True,
        "file_name": "ä.png",
    }
    known |= {"finish": "clean", "seed": 3, "language": "zh", "state": "waiting_for_mask", "attempt": 0, "starts": 0}
    known |= {"enqueued": False, "mask_is_matte": False, "created": 1e9, "updated": 1e9}
    return known | values


def insert(engine: sa.Engine, table: str, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        for values in rows:
            names = ", ".join(values)
            places = ", ".join(f":{name}" for name in values)
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


def test_all_migrations_together_give_the_tables_of_the_code(engine: sa.Engine, tmp_path: Path) -> None:
    for script in reversed(list(ScriptDirectory.from_config(config()).walk_revisions())):
        bring_to(engine, script.revision)
        assert version_of(engine) == script.revision
    fresh = make_engine(url(tmp_path, "fresh.sqlite"))
    metadata.create_all(fresh)
    assert shape(engine) == shape(fresh)
    fresh.dispose()


def test_the_migrations_are_a_single_chain(engine: sa.Engine) -> None:
    scripts = ScriptDirectory.from_config(config())
    assert len(scripts.get_heads()) == 1
    revisions = [script.revision for script in scripts.walk_revisions()][::-1]
    assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]
    assert revisions == migrations.VERSIONS


def test_a_start_with_current_tables_loads_no_alembic(engine: sa.Engine, tmp_path: Path) -> None:
    migrations.upgrade(engine)
    code = (
        "import sys; from bot.storage import migrations; from bot.storage.database import make_engine as make; "
        f"migrations.upgrade(make({url(tmp_path)!r})); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


async def test_renamed_tables_keep_their_rows(engine: sa.Engine, tmp_path: Path) -> None:
    bring_to(engine, BEFORE_RENAMING)
    insert(engine, "wishes", {"chat": 7, "about": "person:7", "operation": "erase", "expires": 4e9})
    insert(engine, "paces", {"name": "chat:7", "full_at": 4e9})
    insert(engine, "edits", row(1, mask=b"png", state="queued"))
    engine.dispose()

    database = Database(url(tmp_path))
    await database.start()
    try:
        store = Store(database, EditLimits())
        assert await store.pending_commands.find(7, "person:7") == EditCommand(Operation.ERASE)
        assert [edit.id for edit in await store.not_enqueued()] == ["id-1"]
        query = sa.select(rate_limits.c.name, rate_limits.c.full_at)
        assert await database.run(lambda c: [tuple(r) for r in c.execute(query)]) == [("chat:7", 4e9)]
    finally:
        await database.close()


async def test_a_database_of_the_first_version_is_upgraded_and_keeps_its_rows(
    engine: sa.Engine, tmp_path: Path
) -> None:
    bring_to(engine, FIRST)
    insert(
        engine,
        "edits",
        row(1, mask=b"png", mask_is_matte=True, state="done", result_file_id="r", result_unique_id="ru", width=640),
        row(2),
    )
    insert(engine, "wishes", {"chat": 7, "about": "person:7", "operation": "erase", "expires": 4e9})
    engine.dispose()

    database = Database(url(tmp_path))
    await database.start()
    try:
        store = Store(database, EditLimits())
        done, waiting = await store.get("id-1"), await store.get("id-2")
        assert done is not None
        assert waiting is not None
        assert (done.state, done.seed, done.language, done.width) == (State.DONE, 3, "zh", 640)
        assert done.photo.name == "ä.png"
        assert done.result is not None
        assert done.result.file_id == "r"
        assert await store.mask("id-1") == StoredMask(b"png", is_matte=True)
        assert await store.pending_commands.find(7, "person:7") == EditCommand(Operation.ERASE)
        queued = await store.queueing.queue_with_mask("id-2", b"painted", "submission")
        assert queued is not None
        assert queued.state is State.QUEUED
        assert await store.queueing.was_submitted_as("id-2", "submission")
        assert version_of(database.engine) == newest()
    finally:
        await database.close()


def test_a_second_upgrade_changes_nothing(engine: sa.Engine) -> None:
    migrations.upgrade(engine)
    insert(engine, "edits", row(1))
    before = shape(engine)
    migrations.upgrade(engine)
    assert shape(engine) == before
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM edits")).scalar_one() == 1


def test_several_processes_can_upgrade_at_once(tmp_path: Path) -> None:
    engines = [make_engine(url(tmp_path)) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrations.upgrade, engines))
    assert version_of(engines[0]) == newest()
    for engine in engines:
        engine.dispose()


def test_a_failed_upgrade_leaves_the_database_unchanged(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_to(engine, FIRST)
    insert(engine, "edits", row(1))
    before, really_add = shape(engine), op.add_column

    def add_and_break(*args: Any, **options: Any) -> None:
        really_add(*args, **options)
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(op, "add_column", add_and_break)
        with pytest.raises(RuntimeError, match="the power went"):
            migrations.upgrade(engine)
    assert (version_of(engine), shape(engine)) == (FIRST, before)
    migrations.upgrade(engine)
    assert version_of(engine) == newest()
