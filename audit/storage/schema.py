"""The log's tables, and the triggers that keep them append-only, on SQLite and PostgreSQL.

Two tables, both with plain names, so that the same statements serve both databases:

    audit_entry   seq (index of the leaf), leaf (its exact bytes), nodes (the hashes that the leaf completes, 32
                  bytes each, its own first), and a projection of the leaf for search
    audit_head    one row: origin, size, frontier, note (the signed checkpoint of size). Its row lock orders
                  the writers. The row is made here, empty, so that there is always one to lock

There is no table of tiles: a full tile is read from the nodes of the leaves that completed its hashes.

Decided here: what the database itself refuses, whoever asks. Entries are added one at a time, at the head's
size, naming this log, their place and their place among their account's entries; nothing is updated or
deleted; the head moves by one, over an entry that is there. The projection is computed by the database
from the leaf, whatever the writer says. On PostgreSQL the triggers fire for replication roles too, run with
a search path that no session can change, and the application's role has no more than it needs (`grants`).
Someone who owns the database can switch all this off: that is what the tree is for.

Two traps. SQLite's INSERT OR REPLACE removes the row in its way without firing DELETE triggers: so nothing is
unique but the primary key, and the insert trigger looks for the place and the id itself. And CHECK and IF take
NULL for a pass: so comparisons are IS (NOT) and IS (NOT) DISTINCT FROM.

No statement here contains a per cent sign or a colon before a word, because drivers and Alembic read those
as parameters.
"""

# ruff: noqa: S608 - statements are composed of constants of this module and of names that `_identifier` let pass
from __future__ import annotations

import re
from typing import Final

from audit.errors import LogRefused

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"

_SIZE_BITS: Final = 62
_IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")

# The projection: column, its type, the place in the leaf.
PROJECTION: Final = (
    ("event_id", "text", ("id",)),
    ("occurred_at", "text", ("time",)),
    ("event_type", "text", ("type",)),
    ("outcome", "text", ("outcome",)),
    ("actor_id", "text", ("actor", "id")),
    ("account_id", "text", ("account", "id")),
    ("account_seq", "bigint", ("account", "seq")),
    ("checkout_id", "text", ("checkout",)),
    ("secret_kind", "text", ("secret", "kind")),
)

_INDEXES: Final = (
    "CREATE INDEX audit_entry_by_event_id ON audit_entry (event_id)",
    "CREATE INDEX audit_entry_by_time ON audit_entry (occurred_at, seq)",
    "CREATE INDEX audit_entry_by_type ON audit_entry (event_type, seq)",
    "CREATE INDEX audit_entry_by_outcome ON audit_entry (outcome, seq)",
    "CREATE INDEX audit_entry_by_actor ON audit_entry (actor_id, seq) WHERE actor_id IS NOT NULL",
    "CREATE INDEX audit_entry_by_account ON audit_entry (account_id, seq) WHERE account_id IS NOT NULL",
    "CREATE INDEX audit_entry_by_checkout ON audit_entry (checkout_id, seq) WHERE checkout_id IS NOT NULL",
    (
        "CREATE INDEX audit_entry_by_secret ON audit_entry (account_id, secret_kind, event_type, seq)"
        " WHERE secret_kind IS NOT NULL"
    ),
)

# The nodes of leaf `seq` are as many as seq + 1 has trailing noughts in binary, and one.
_NODES_FIT: Final = "((seq + 1) & -(seq + 1)) = ({one} << (length(nodes) / 32 - 1)) AND {whole}"


def ddl(dialect_name: str, schema: str = "public") -> list[str]:
    """Return the statements that make the log's tables, indexes and triggers, in order.

    `schema` is where PostgreSQL's triggers look for the tables: that in which the statements are run.
    """
    if dialect_name == SQLITE:
        return _sqlite()
    if dialect_name == POSTGRESQL:
        return _postgresql(_identifier(schema))
    raise LogRefused("log.dialect", f"the log is kept in SQLite or PostgreSQL, not in {dialect_name}")


def drop_ddl(dialect_name: str) -> list[str]:
    """Return the statements that remove what `ddl` made, the log with it."""
    tables = ["DROP TABLE audit_entry", "DROP TABLE audit_head"]
    if dialect_name == SQLITE:
        return tables
    if dialect_name == POSTGRESQL:
        functions = (
            "audit_refuse()",
            "audit_entry_arrives()",
            "audit_head_moves()",
            "audit_tail(text, bigint)",
        )
        return tables + [f"DROP FUNCTION {function}" for function in functions]
    raise LogRefused("log.dialect", f"the log is kept in SQLite or PostgreSQL, not in {dialect_name}")


def archive_ddl(dialect_name: str, number: int) -> list[str]:
    """Return the statements that keep the log beside the tables, as `audit_entry_<number>` and `audit_head_<number>`.

    For a log that ended: nothing is added to it, changed in it or removed from it any more. `drop_ddl` and
    `ddl` after these make room for the log that follows.
    """
    entry, head = f"audit_entry_{number:d}", f"audit_head_{number:d}"
    if dialect_name not in {SQLITE, POSTGRESQL}:
        raise LogRefused("log.dialect", f"the log is kept in SQLite or PostgreSQL, not in {dialect_name}")
    lite = dialect_name == SQLITE
    whole, blob, time = ("INTEGER", "BLOB", "INTEGER") if lite else ("bigint", "bytea", "timestamptz")
    made = [
        (
            f"CREATE TABLE {entry} (seq {whole} PRIMARY KEY, leaf {blob} NOT NULL, nodes {blob} NOT NULL,"
            f" inserted_at {time} NOT NULL)"
        ),
        f"INSERT INTO {entry} SELECT seq, leaf, nodes, inserted_at FROM audit_entry ORDER BY seq",
        (
            f"CREATE TABLE {head} (id integer PRIMARY KEY, origin text NOT NULL, size {whole} NOT NULL,"
            f" frontier {blob} NOT NULL, note text NOT NULL)"
        ),
        f"INSERT INTO {head} SELECT id, origin, size, frontier, note FROM audit_head",
    ]
    if lite:
        refuse = "BEGIN SELECT RAISE(ABORT, 'audit log: nothing is changed or removed'); END"
        return made + [
            f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} {refuse}"
            for table in (entry, head)
            for event in ("INSERT", "UPDATE", "DELETE")
        ]
    refusals = {
        "ends": ("INSERT", "ROW", "audit_archive_refuse"),
        "stays": ("UPDATE", "ROW", "audit_archive_refuse"),
        "remains": ("DELETE", "ROW", "audit_archive_refuse"),
        "is_kept": ("TRUNCATE", "STATEMENT", "audit_archive_refuse"),
    }
    return [
        *made,
        """CREATE OR REPLACE FUNCTION audit_archive_refuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'audit log: nothing is changed or removed' USING ERRCODE = 'insufficient_privilege';
END $$""",
        *_triggers(entry, refusals),
        *_triggers(head, refusals),
    ]


def grants(role: str) -> list[str]:
    """Return the statements that give PostgreSQL's application role what appending and reading need."""
    name = _identifier(role)
    return [
        f"REVOKE ALL ON audit_entry, audit_head FROM PUBLIC, {name}",
        f"GRANT SELECT ON audit_entry, audit_head TO {name}",
        f"GRANT INSERT (seq, leaf, nodes) ON audit_entry TO {name}",
        f"GRANT UPDATE (origin, size, frontier, note) ON audit_head TO {name}",
    ]


def _identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise LogRefused("log.identifier", "a schema or role is named in lower case, digits and underscores")
    return name


def _sqlite() -> list[str]:
    def member(*path: str, row: str = "") -> str:
        return f"json_extract(CAST({row}leaf AS TEXT), '$.{'.'.join(path)}')"

    columns = ",\n  ".join(
        f"{name} {'INTEGER' if kind == 'bigint' else 'TEXT'} GENERATED ALWAYS AS ({member(*path)}) STORED"
        for name, kind, path in PROJECTION
    )
    ones = " + ".join(f"(NEW.size >> {bit} & 1)" for bit in range(_SIZE_BITS))
    whole = "length(nodes) > 0 AND length(nodes) & 31 = 0"
    last = (
        "(SELECT {} FROM audit_entry e WHERE e.account_id = "
        + member("account", "id", row="NEW.")
        + " ORDER BY e.seq DESC LIMIT 1)"
    )
    refusals = {
        "entries are added one at a time, at the head": "NEW.seq IS NOT (SELECT size FROM audit_head)"
        " OR EXISTS (SELECT 1 FROM audit_entry WHERE seq = NEW.seq)",
        "the leaf names another place": f"{member('seq', row='NEW.')} IS NOT NEW.seq"
        f" OR typeof({member('log', row='NEW.')}) IS NOT 'text'"
        f" OR (NEW.seq > 0 AND {member('log', row='NEW.')} IS NOT (SELECT origin FROM audit_head))",
        "the event has no id, or is there already": f"typeof({member('id', row='NEW.')}) IS NOT 'text'"
        f" OR EXISTS (SELECT 1 FROM audit_entry WHERE event_id = {member('id', row='NEW.')})",
        "the leaf breaks the chain of its account": f"{member('account', row='NEW.')} IS NOT NULL AND ("
        f"{member('account', 'seq', row='NEW.')} IS NOT coalesce({last.format('e.account_seq + 1')}, 0)"
        f" OR {member('account', 'prev', row='NEW.')} IS NOT"
        f" {last.format('lower(hex(substr(e.nodes, 1, 32)))')})",
    }
    checks = "\n  ".join(
        f"SELECT RAISE(ABORT, 'audit log: {words}') WHERE {when};" for words, when in refusals.items()
    )
    refuse = "BEGIN SELECT RAISE(ABORT, 'audit log: nothing is changed or removed'); END"
    return [
        f"""CREATE TABLE audit_entry (
  seq INTEGER PRIMARY KEY NOT NULL CHECK (seq >= 0),
  leaf BLOB NOT NULL CHECK (typeof(leaf) = 'blob' AND length(leaf) BETWEEN 2 AND 65535),
  nodes BLOB NOT NULL CHECK (typeof(nodes) = 'blob' AND {_NODES_FIT.format(one="1", whole=whole)}),
  inserted_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  {columns}
)""",
        """CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  origin TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (typeof(size) = 'integer' AND size >= 0),
  frontier BLOB NOT NULL,
  note TEXT NOT NULL
)""",
        "INSERT INTO audit_head (id, origin, size, frontier, note) VALUES (1, '', 0, x'', '')",
        *_INDEXES,
        f"CREATE TRIGGER audit_entry_arrives BEFORE INSERT ON audit_entry BEGIN\n  {checks}\nEND",
        f"CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry {refuse}",
        f"CREATE TRIGGER audit_entry_remains BEFORE DELETE ON audit_entry {refuse}",
        f"CREATE TRIGGER audit_head_is_one BEFORE INSERT ON audit_head {refuse}",
        f"CREATE TRIGGER audit_head_remains BEFORE DELETE ON audit_head {refuse}",
        f"""CREATE TRIGGER audit_head_moves BEFORE UPDATE ON audit_head BEGIN
  SELECT RAISE(ABORT, 'audit log: the head moves by one, over an entry that is there')
  WHERE NEW.id IS NOT 1 OR NEW.size IS NOT OLD.size + 1
  OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE seq = OLD.size)
  OR NEW.origin IS NOT (SELECT {member("log")} FROM audit_entry WHERE seq = OLD.size)
  OR NEW.note = '' OR typeof(NEW.frontier) IS NOT 'blob' OR length(NEW.frontier) IS NOT 32 * ({ones});
END""",
    ]


def _postgresql(schema: str) -> list[str]:
    def member(*path: str) -> str:
        steps = "".join(f" -> '{name}'" for name in path[:-1])
        return f"members{steps} ->> '{path[-1]}'"

    columns = ",\n  ".join(f"{name} {kind}" for name, kind, _ in PROJECTION)
    projection = "\n  ".join(
        f"NEW.{name} = ({member(*path)}){'::bigint' if kind == 'bigint' else ''};"
        for name, kind, path in PROJECTION
    )
    entry, head = f"{schema}.audit_entry", f"{schema}.audit_head"
    whole = "length(nodes) > 0 AND length(nodes) & 31 = 0"
    fixed = "SET search_path = pg_catalog, pg_temp"
    errcode = "USING ERRCODE = 'insufficient_privilege'"
    return [
        f"""CREATE TABLE audit_entry (
  seq bigint PRIMARY KEY CHECK (seq >= 0),
  leaf bytea NOT NULL CHECK (length(leaf) BETWEEN 2 AND 65535),
  nodes bytea NOT NULL CHECK ({_NODES_FIT.format(one="1::bigint", whole=whole)})
    CHECK (substr(nodes, 1, 32) = sha256('\\x00'::bytea || leaf)),
  inserted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  {columns}
)""",
        """CREATE TABLE audit_head (
  id integer PRIMARY KEY CHECK (id = 1),
  origin text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  frontier bytea NOT NULL,
  note text NOT NULL
)""",
        "INSERT INTO audit_head (id, origin, size, frontier, note) VALUES (1, '', 0, ''::bytea, '')",
        *_INDEXES,
        f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql {fixed} AS $$
BEGIN
  RAISE EXCEPTION 'audit log: nothing is changed or removed' {errcode};
END $$""",
        f"""CREATE FUNCTION audit_tail(account text, size bigint)
RETURNS TABLE (account_seq bigint, leaf_hash bytea) LANGUAGE plpgsql VOLATILE {fixed} AS $$
BEGIN
  RETURN QUERY SELECT e.account_seq, substr(e.nodes, 1, 32) FROM {entry} e
  WHERE e.account_id = account AND e.seq < size ORDER BY e.seq DESC LIMIT 1;
END $$""",
        f"""CREATE FUNCTION audit_entry_arrives() RETURNS trigger LANGUAGE plpgsql {fixed} AS $$
DECLARE
  members json = convert_from(NEW.leaf, 'UTF8')::json;
  head record;
  last record;
BEGIN
  SELECT h.origin, h.size INTO head FROM {head} h;
  IF NEW.seq IS DISTINCT FROM head.size OR EXISTS (SELECT 1 FROM {entry} e WHERE e.seq = NEW.seq) THEN
    RAISE EXCEPTION 'audit log: entries are added one at a time, at the head' {errcode};
  END IF;
  IF (members ->> 'seq')::bigint IS DISTINCT FROM NEW.seq OR members ->> 'log' IS NULL
  OR (NEW.seq > 0 AND members ->> 'log' IS DISTINCT FROM head.origin) THEN
    RAISE EXCEPTION 'audit log: the leaf names another place' {errcode};
  END IF;
  {projection}
  IF NEW.event_id IS NULL OR EXISTS (SELECT 1 FROM {entry} e WHERE e.event_id = NEW.event_id) THEN
    RAISE EXCEPTION 'audit log: the event has no id, or is there already' {errcode};
  END IF;
  IF members -> 'account' IS NOT NULL THEN
    SELECT e.account_seq + 1 AS account_seq, encode(substr(e.nodes, 1, 32), 'hex') AS hash INTO last
    FROM {entry} e WHERE e.account_id = NEW.account_id ORDER BY e.seq DESC LIMIT 1;
    IF NEW.account_seq IS DISTINCT FROM coalesce(last.account_seq, 0)
    OR members -> 'account' ->> 'prev' IS DISTINCT FROM last.hash THEN
      RAISE EXCEPTION 'audit log: the leaf breaks the chain of its account' {errcode};
    END IF;
  END IF;
  NEW.inserted_at = clock_timestamp();
  RETURN NEW;
END $$""",
        f"""CREATE FUNCTION audit_head_moves() RETURNS trigger LANGUAGE plpgsql {fixed} AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM 1 OR NEW.size IS DISTINCT FROM OLD.size + 1 OR NEW.note = ''
  OR NEW.origin IS DISTINCT FROM (SELECT convert_from(e.leaf, 'UTF8')::json ->> 'log' FROM {entry} e
    WHERE e.seq = OLD.size)
  OR length(NEW.frontier) IS DISTINCT FROM 32 * bit_count(NEW.size::bit(64)) THEN
    RAISE EXCEPTION 'audit log: the head moves by one, over an entry that is there' {errcode};
  END IF;
  RETURN NEW;
END $$""",
        *_triggers("audit_entry", {"arrives": ("INSERT", "ROW", "audit_entry_arrives")}),
        *_triggers("audit_entry", _REFUSALS),
        *_triggers("audit_head", {"moves": ("UPDATE", "ROW", "audit_head_moves")}),
        *_triggers("audit_head", {"is_one": ("INSERT", "ROW", "audit_refuse")}),
        *_triggers(
            "audit_head", {"remains": ("DELETE", "ROW", "audit_refuse"), "is_kept": _REFUSALS["is_kept"]}
        ),
    ]


_REFUSALS: Final = {
    "stays": ("UPDATE", "ROW", "audit_refuse"),
    "remains": ("DELETE", "ROW", "audit_refuse"),
    "is_kept": ("TRUNCATE", "STATEMENT", "audit_refuse"),
}


def _triggers(table: str, wanted: dict[str, tuple[str, str, str]]) -> list[str]:
    """Return the statements for triggers of PostgreSQL that fire for every role of a session."""
    statements = []
    for name, (event, scope, function) in wanted.items():
        trigger = f"{table}_{name}"
        statements += [
            f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH {scope} EXECUTE FUNCTION {function}()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}",
        ]
    return statements
