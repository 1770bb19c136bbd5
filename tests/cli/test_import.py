"""The import: faults by line and column and never by value, rows whole or not at all, runs that go on."""

from __future__ import annotations

import base64
import json
import secrets
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from vault.adapters.local_keys import InsecureLocalKeys
from vault.bootstrap import open_vault
from vault.cli.admin.importer import import_
from vault.domain.actor import Reach
from vault.domain.credential import Due, PartKind
from vault.domain.secret import Secret
from vault.errors import Invalid, KeysUnavailable
from vault.ports.store import EntryFilter, Slice
from vault.services.import_rows import Row, read_rows
from vault.services.imports import Imports, Outcome, RowResult
from vault.services.sealing import Sealer
from vault.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vault.bootstrap import Vault
    from vault.ports.keys import DataKey

HEADER = "account_id,customer_ddi,customer_name,name,model,kind,root_email,password,totp_seed"
SEED = base64.b32encode(bytes(range(40))).decode()


def row(number: int, **changed: str) -> str:
    """Write one good row, some of it changed."""
    cells = {
        "account_id": f"{number:012}",
        "customer_ddi": str(9000 + number % 7),
        "customer_name": f"Customer {number % 7}",
        "name": f"account {number}",
        "model": "SPAM",
        "kind": "standalone",
        "root_email": f"root+{number}@msp.example",
        "password": f"Secret-Value-{number}!",
        "totp_seed": SEED,
    }
    return ",".join(f'"{value}"' for value in {**cells, **changed}.values())


def file_of(directory: Path, *rows: str, header: str = HEADER) -> Path:
    """Write an import file as its owner keeps it."""
    file = directory / "accounts.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def run(directory: Path, file: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Import a file into a vault."""
    arguments = [str(file), "--config", str(directory), "--by", "Ivo Marek", "--json", *options]
    done = CliRunner().invoke(import_, arguments)
    told: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return done.exit_code, told, done.output + repr(done.exception)


@pytest.fixture
def vault(vault_directory: Path) -> Vault:
    """Open the vault and let go of its database, which is opened again for each question."""
    opened = open_vault(load_settings(str(vault_directory), {}))
    opened.close()
    return opened


def test_two_hundred_accounts_are_looked_at_then_taken_then_recognised(
    vault_directory: Path, vault: Vault, tmp_path: Path
) -> None:
    file = file_of(tmp_path, *(row(number) for number in range(200)))
    status, looked, _ = run(vault_directory, file)
    assert (status, looked["rows"]["good"], looked["applied"]) == (0, 200, False)
    with vault.units.read() as unit:
        assert unit.accounts.count() == 0

    status, taken, output = run(vault_directory, file, "--apply")
    assert (status, taken["rows"]["taken"]) == (0, 200), output
    with vault.units.read() as unit:
        assert unit.accounts.count() == 200
        account = unit.accounts.get(f"{7:012}")
        current = unit.versions.current_of((f"{7:012}",))
        entries = unit.log.page(EntryFilter(account_id=f"{7:012}"), Reach(everything=True), Slice(20)).items
        last = unit.log.page(EntryFilter(type="import.finished"), Reach(everything=True), Slice(1)).items[0]
    assert account is not None
    assert (account.custody, account.name) == ("held", "account 7")
    assert {version.number for version in current.values()} == {1}
    assert Counter(str(entry.content["type"]) for entry in entries) == {
        "account.registered": 1,
        "credential.taken_in": 2,
        # every row has the same device
        "credential.reused": 1,
        "secret.promoted": 2,
        "custody.held": 1,
    }
    assert {_name(entry.content) for entry in entries} == {"import by Ivo Marek"}
    assert last.content["detail"] == {"taken": 200, "present": 0, "refused": 0, "complete": True}

    status, again, _ = run(vault_directory, file, "--apply")
    assert (status, again["rows"]["present"], again["rows"]["taken"]) == (0, 200, 0)
    vault.close()


def test_what_was_taken_opens_and_is_due_at_once(vault_directory: Path, vault: Vault, tmp_path: Path) -> None:
    run(vault_directory, file_of(tmp_path, row(1), row(2, password="short1A")), "--apply")
    with vault.units.read() as unit:
        versions = unit.versions.current_of((f"{1:012}", f"{2:012}"))
        vault_id = unit.vault_id
    sealer = Sealer(vault.keys)
    assert (
        sealer.open(vault_id, versions[f"{1:012}", PartKind.PASSWORD]).plaintext.expose() == "Secret-Value-1!"
    )
    assert sealer.open(vault_id, versions[f"{1:012}", PartKind.MFA]).plaintext.expose() == SEED
    assert [versions[f"{n:012}", PartKind.PASSWORD].weak for n in (1, 2)] == [False, True]
    assert Due.INTAKE in {
        Due.INTAKE if version.origin == "taken_in" else None for version in versions.values()
    }
    vault.close()


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"account_id": "12345678901"}, "account_id", "12 digits"),
    ({"account_id": "١٢٣٤٥٦٧٨٩٠١٢"}, "account_id", "12 digits"),
    ({"customer_ddi": "007"}, "customer_ddi", "digits only"),
    ({"name": ""}, "name", "1 to 200"),
    ({"model": "spam"}, "model", "SPAM or ECAM"),
    ({"kind": "linked"}, "kind", "payer, member, standalone"),
    ({"model": "ECAM", "kind": "member"}, "model", "C2"),
    ({"root_email": "root@localhost"}, "root_email", "e-mail"),
    ({"password": ""}, "password", "1 to 128"),
    ({"password": "p" * 129}, "password", "1 to 128"),
    ({"totp_seed": "JBSWY3DP"}, "totp_seed", "112 bits"),
    ({"totp_seed": "0189"}, "totp_seed", "2 to 7"),
]


@pytest.mark.parametrize(("changed", "column", "words"), BAD)
def test_a_fault_names_line_and_column_and_no_value(changed: dict[str, str], column: str, words: str) -> None:
    lines = [HEADER, row(1), row(2, **changed), row(3)]
    found = list(read_rows(lines))
    assert [isinstance(each, Row) for each in found] == [True, False, True]
    faults = found[1]
    assert not isinstance(faults, Row)
    assert [(fault.line, fault.column) for fault in faults] == [(3, column)]
    assert words in faults[0].words
    # the words name the choices of model and kind, so only other columns' values would be the file's own
    values = [value for name, value in changed.items() if value and name not in {"model", "kind"}]
    assert [value for value in values if value in repr(faults)] == []


def test_all_faults_of_a_row_are_told_and_lines_count_what_is_quoted() -> None:
    name = '"two\nlines"'
    plain = row(1).split(",")
    lines = [HEADER, ",".join([*plain[:3], name, *plain[4:]]), row(2, kind="x", model="y")]
    text = "\n".join(lines).splitlines(keepends=True)
    _, faults = list(read_rows(text))
    assert not isinstance(faults, Row)
    assert [(fault.line, fault.column) for fault in faults] == [(4, "model"), (4, "kind")]


def test_repeats_in_one_file_are_faults() -> None:
    same_account = row(2, account_id=f"{1:012}")
    same_email = row(3, root_email="ROOT+1@msp.example")
    found = list(read_rows([HEADER, row(1), same_account, same_email]))
    places = [[(f.column, f.words) for f in each] for each in found if not isinstance(each, Row)]
    assert [(place[0][0], "line 2" in place[0][1]) for place in places] == [
        ("account_id", True),
        ("root_email", True),
    ]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER + ",aws_access_key_id", "C3"),
        (HEADER + ",Secret Access Key", "C3"),
        (HEADER + ",phone", "not known here"),
        (HEADER.replace(",totp_seed", ""), "column totp_seed: is missing"),
        (HEADER + ",name", "twice"),
        ("", "is missing"),
    ],
)
def test_a_header_that_cannot_be_is_refused_before_any_row(header: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        list(read_rows([header, row(1)]))
    assert refused.value.code == "import.invalid"


def test_broken_quotes_end_the_reading_with_the_line() -> None:
    found = list(read_rows([HEADER, row(1), '"abc"d,"x']))
    assert not isinstance(found[-1], Row)
    assert (found[-1][0].line, found[-1][0].column) == (3, "row")


def test_a_bad_row_takes_no_good_one_down(vault_directory: Path, vault: Vault, tmp_path: Path) -> None:
    run(vault_directory, file_of(tmp_path, row(1)), "--apply")
    rows = [
        row(2),
        row(3, root_email="root+1@msp.example"),
        row(4, kind="x"),
        row(5),
        row(1, customer_ddi="123", root_email="x@msp.example"),
    ]
    status, told, output = run(vault_directory, file_of(tmp_path, *rows), "--apply")
    assert status == 1
    assert (told["rows"]["taken"], told["rows"]["refused"]) == (2, 3)
    assert {(fault["line"], fault["column"]) for fault in told["faults"]} == {
        (3, "root_email"),
        (4, "kind"),
        (6, "customer_ddi"),
    }
    assert "Secret-Value" not in output
    with vault.units.read() as unit:
        held = [number for number in range(1, 6) if unit.accounts.get(f"{number:012}") is not None]
    assert held == [1, 2, 5]
    vault.close()


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(vault_directory: Path, vault: Vault) -> None:
    lines = [HEADER, *(row(number) for number in range(60))]
    custodies = replace(vault.custodies, sealer=Sealer(_DyingKeys(vault.keys, after=70)))
    broken = Imports(vault.units, custodies, vault.clock)
    told: list[Outcome] = []
    with pytest.raises(KeysUnavailable):
        told.extend(broken.apply(lines, "Ivo"))
    with vault.units.read() as unit:
        before = unit.accounts.count()
        last = unit.log.page(EntryFilter(type="import.finished"), Reach(everything=True), Slice(1)).items[0]
    assert before == 20
    assert last.content["detail"]["complete"] is False  # type: ignore[index]  # a leaf's members are JSON
    results = Counter(outcome.result for outcome in vault.imports.apply(lines, "Ivo"))
    assert results == {RowResult.PRESENT: 20, RowResult.TAKEN: 40}
    vault.close()


def test_a_file_that_others_may_read_is_refused(vault_directory: Path, tmp_path: Path) -> None:
    file = file_of(tmp_path, row(1))
    file.chmod(0o644)
    status, _, output = run(vault_directory, file, "--apply")
    assert status == 1
    assert "chmod 600" in output


def test_the_terminal_is_shown_counts_and_no_value(vault_directory: Path, tmp_path: Path) -> None:
    password = secrets.token_urlsafe(20)
    file = file_of(tmp_path, row(1, password=password), row(2, password=password, kind="x"))
    arguments = [str(file), "--config", str(vault_directory), "--by", "Ivo", "--apply"]
    done = CliRunner().invoke(import_, arguments)
    assert "1  taken in, due for rotation at once" in done.output
    assert "line 3, kind: must be one of" in done.output
    assert password not in done.output


def _name(content: Mapping[str, object]) -> object:
    actor = content["actor"]
    return actor.get("name") if isinstance(actor, dict) else None


class _DyingKeys(InsecureLocalKeys):
    """A vault's keys that stop to answer after so many data keys."""

    def __init__(self, keys: object, after: int) -> None:
        assert isinstance(keys, InsecureLocalKeys)
        self._keys = keys
        self._left = after

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Make a data key, or be down."""
        self._left -= 1
        if self._left < 0:
            raise KeysUnavailable("keys.unavailable", "The keys do not answer.")
        return self._keys.generate(context)


def test_a_value_in_a_rows_repr_stays_hidden() -> None:
    (found,) = read_rows([HEADER, row(1)])
    assert isinstance(found, Row)
    assert isinstance(found.password, Secret)
    assert "Secret-Value" not in repr(found)
    assert SEED not in repr(found)
