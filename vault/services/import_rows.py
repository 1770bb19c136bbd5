"""Rows of an import file: from lines of CSV (RFC 4180) to values, or to faults that name line and column.

    account_id,customer_ddi,customer_name,name,model,kind,root_email,password,totp_seed

``customer_name`` may be left out where all customers are registered. Decided here: what a row must hold.
A column for root access keys is refused whatever it holds (C3), an ECAM member's row too (C2). A fault
never holds a value of the file, not even an account's number: a number in the wrong column could be a
password.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from vault.crypto import totp
from vault.domain.account import Kind, Model
from vault.domain.ids import fold_email, is_account_id, is_ddi, is_email
from vault.domain.secret import Secret
from vault.errors import FieldError, Invalid

REQUIRED: Final = (
    "account_id", "customer_ddi", "name", "model", "kind", "root_email", "password", "totp_seed",
)  # fmt: skip
OPTIONAL: Final = ("customer_name",)
NAME_MAX: Final = 200
PASSWORD_MAX: Final = 128
_KEY_WORDS: Final = ("access_key", "accesskey", "secret_key", "secretkey", "aws_secret")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one place of the file."""

    line: int
    column: str
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One account with its values, as the file has them."""

    line: int
    account_id: str
    customer_ddi: str
    customer_name: str
    name: str
    model: Model
    kind: Kind
    root_email: str
    password: Secret[str]
    seed: Secret[str]


def read_rows(lines: Iterable[str]) -> Iterator[Row | tuple[Fault, ...]]:
    """Go through the file row by row; raise `Invalid` import.invalid for a header that cannot be.

    A row that repeats an account or a root e-mail of an earlier one is at fault.
    """
    reader = csv.reader(lines, strict=True)
    columns = _header(reader)
    accounts: dict[str, int] = {}
    emails: dict[str, int] = {}
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield (Fault(line, "row", "is not CSV: look at its quotes; nothing after it can be read"),)
            return
        if not any(cells):
            continue
        if len(cells) != len(columns):
            yield (Fault(line, "row", f"has {len(cells)} cells, the header {len(columns)}"),)
            continue
        found = _row(line, dict(zip(columns, cells, strict=True)))
        if isinstance(found, Row):
            repeats = _repeats(found, accounts, emails)
            yield repeats or found
        else:
            yield found


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip().lower().removeprefix("\ufeff") for name in next(reader)]
    except (StopIteration, csv.Error):
        columns = []
    for name in columns:
        if any(word in name.replace(" ", "_") for word in _KEY_WORDS):
            _refuse(
                name,
                "is for root access keys, which must not exist and are never stored (C3); delete them at AWS",
            )
        if name not in {*REQUIRED, *OPTIONAL}:
            _refuse(name[:40], f"is not known here; columns are {', '.join((*REQUIRED, *OPTIONAL))}")
    for name in REQUIRED:
        if name not in columns:
            _refuse(name, "is missing in the first line, which names the columns")
    if len(set(columns)) != len(columns):
        _refuse("header", "names a column twice")
    return columns


def _refuse(column: str, words: str) -> NoReturn:
    place = FieldError(f"/1/{column}", words)
    raise Invalid(
        "import.invalid", f"Line 1, column {column}: {words}.", errors=(place,), line=1, column=column
    )


def _row(line: int, cells: dict[str, str]) -> Row | tuple[Fault, ...]:
    faults: list[Fault] = []

    def wrong(column: str, words: str) -> None:
        faults.append(Fault(line, column, words))

    clean = {column: cell if column == "password" else cell.strip() for column, cell in cells.items()}
    if not is_account_id(clean["account_id"]):
        wrong("account_id", "must be 12 digits; spreadsheets drop leading zeros")
    if not is_ddi(clean["customer_ddi"]):
        wrong("customer_ddi", "must be a DDI number, digits only")
    for column in ("name", "customer_name"):
        if len(clean.get(column, "")) > NAME_MAX or (column == "name" and not clean[column]):
            wrong(column, f"must be 1 to {NAME_MAX} characters")
    if clean["model"] not in set(Model):
        wrong("model", f"must be {' or '.join(Model)}")
    if clean["kind"] not in set(Kind):
        wrong("kind", f"must be one of {', '.join(Kind)}")
    if (clean["model"], clean["kind"]) == (Model.ECAM, Kind.MEMBER):
        wrong("model", "an ECAM member's root is the customer's; vaulting it is refused (C2)")
    if not is_email(clean["root_email"]):
        wrong("root_email", "must be an e-mail address (ASCII)")
    if not 1 <= len(clean["password"]) <= PASSWORD_MAX or not clean["password"].isprintable():
        wrong("password", f"must be 1 to {PASSWORD_MAX} printable characters")
    try:
        seed = totp.parse_seed(Secret(clean["totp_seed"])).secret
    except Invalid as failure:
        wrong("totp_seed", failure.detail)
        return tuple(faults)
    if faults:
        return tuple(faults)
    return Row(
        line=line,
        account_id=clean["account_id"],
        customer_ddi=clean["customer_ddi"],
        customer_name=clean.get("customer_name", ""),
        name=clean["name"],
        model=Model(clean["model"]),
        kind=Kind(clean["kind"]),
        root_email=clean["root_email"],
        password=Secret(clean["password"]),
        seed=seed,
    )


def _repeats(row: Row, accounts: dict[str, int], emails: dict[str, int]) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    first = accounts.setdefault(row.account_id, row.line)
    if first != row.line:
        faults.append(Fault(row.line, "account_id", f"is the same as in line {first}"))
    first = emails.setdefault(fold_email(row.root_email), row.line)
    if first != row.line:
        faults.append(
            Fault(row.line, "root_email", f"is the same as in line {first}; each account has its own (C4)")
        )
    return tuple(faults)
