"""db/migrate: order, checksums, holes, failures, two at once. Run through tests/postgres."""

import os
import pathlib
import subprocess
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = os.environ["LANYARD_TEST_DATABASE_URL"]


def sql(url, text):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url], input=text, text=True, check=True,
                          stdout=subprocess.PIPE).stdout.strip()


class Database:
    """An empty database and an empty folder of migrations."""

    def __init__(self, folder):
        name = "migrate_" + uuid.uuid4().hex
        sql(SERVER, f"CREATE DATABASE {name}")
        self.url = SERVER.replace("/lanyard?", f"/{name}?")
        self.folder = folder
        self.environment = {**os.environ, "LANYARD_DATABASE_URL": self.url, "LANYARD_MIGRATIONS": str(folder)}

    def add(self, name, text):
        (self.folder / name).write_text(text)

    def start(self, *arguments):
        return subprocess.Popen([str(ROOT / "db/migrate"), *arguments], env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def migrate(self, status=0, arguments=()):
        process = self.start(*arguments)
        told, _ = process.communicate()
        assert process.returncode == status, told
        return told.splitlines()

    def landed(self):
        return sql(self.url, "SELECT number || ' ' || name FROM schema_migration ORDER BY number").splitlines()


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path)
    database.add("0001_one.sql", "CREATE TABLE one (n int);")
    database.add("0002_two.sql", "INSERT INTO one VALUES (2); CREATE TABLE two ();")
    return database


def test_in_order_and_once(database):
    assert database.migrate() == ["applied 0001_one.sql", "applied 0002_two.sql"]
    assert database.migrate() == []
    database.add("0003_three.sql", "CREATE TABLE three ();")
    assert database.migrate() == ["applied 0003_three.sql"]
    assert database.landed() == ["1 0001_one.sql", "2 0002_two.sql", "3 0003_three.sql"]


def test_edited_migration_is_refused(database):
    database.migrate()
    database.add("0001_one.sql", "CREATE TABLE one (n bigint);")
    database.add("0003_three.sql", "CREATE TABLE three ();")
    told = "\n".join(database.migrate(1))
    assert "0001_one.sql has landed in this database, but the file is gone or was edited since" in told
    assert len(database.landed()) == 2


def test_landed_file_that_is_gone_is_refused(database):
    database.migrate()
    (database.folder / "0002_two.sql").unlink()
    assert "0002_two.sql has landed" in "\n".join(database.migrate(1))


@pytest.mark.parametrize("name, told", [
    ("0004_four.sql", "migration number 3 is missing"), ("0002_again.sql", "two migrations with this number"),
    ("3_three.sql", "expected a name like"), ("0003_Three'; DROP TABLE one.sql", "expected a name like")])
def test_wrong_numbers_and_names_are_refused(database, name, told):
    database.add(name, "CREATE TABLE another ();")
    assert told in "\n".join(database.migrate(1))


def test_failure_leaves_what_was_applied(database):
    database.add("0003_three.sql", "CREATE TABLE three (); SELECT 1 / 0;")
    told = "\n".join(database.migrate(1))
    assert "0003_three.sql" in told and "division by zero" in told
    assert database.landed() == ["1 0001_one.sql", "2 0002_two.sql"]
    assert sql(database.url, "SELECT to_regclass('three') IS NULL") == "t"
    database.add("0003_three.sql", "CREATE TABLE three ();")
    assert database.migrate() == ["applied 0003_three.sql"]


def test_two_at_once(database):
    database.add("0003_slow.sql", "DO $$BEGIN PERFORM pg_sleep(0.3); END$$; CREATE TABLE three ();")
    runs = [database.start() for _ in range(4)]
    told = [run.communicate()[0].splitlines() for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, told
    assert sorted(map(len, told)) == [0, 0, 0, 3]


def test_unreachable_database(database):
    database.environment["LANYARD_DATABASE_URL"] = "postgresql:///x?host=/nonexistent"
    assert "/nonexistent" in "\n".join(database.migrate(1))
    database.environment["LANYARD_DATABASE_URL"] = ""
    assert database.migrate(1) == ["migrate: LANYARD_DATABASE_URL is required"]


def test_roles_get_the_passwords_of_their_files(database):
    role = "lanyard_" + uuid.uuid4().hex
    database.add("0003_role.sql", f"CREATE ROLE {role} LOGIN;")
    secrets = database.folder / "secrets"
    secrets.mkdir()
    (secrets / "owner.pgpass").write_text("*:*:*:lanyard_owner:" + "0" * 64 + "\n")
    (secrets / f"{role.removeprefix('lanyard_')}.pgpass").write_text(f"*:*:*:{role}:" + "a" * 64 + "\n")
    database.migrate(arguments=["--passwords", str(secrets)])
    kept = sql(SERVER, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'")
    assert kept.startswith("SCRAM-SHA-256$")
    (secrets / f"{role.removeprefix('lanyard_')}.pgpass").write_text(f"*:*:*:{role}:it's one\n")
    told = database.migrate(1, arguments=["--passwords", str(secrets)])
    assert "64 hex digits" in told[-1]
    assert sql(SERVER, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'") == kept


def test_every_table_of_tenants_has_row_level_security():
    """What is in the database under test is what the migrations of this tree make."""
    open_tables = sql(SERVER, """
        SELECT a.attrelid::regclass FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity
            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))
        ORDER BY 1""").splitlines()
    assert open_tables == ["fabric.event"], "every service reads all events, of all tenants"
    for role in ("auth", "provision", "rendezvous", "dns", "gateway", "dataplane"):
        assert sql(SERVER, f"SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'lanyard_{role}'") == "f"
