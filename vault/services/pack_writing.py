"""An evidence pack as files: JSON for programs, one HTML page that needs no server, and both with receipts in a zip.

Decided here: the forms. The same pack gives the same bytes. The page has its style within it, no script, and nothing
that is fetched; all text is escaped. Receipts are as `audit.receipt` writes them, one file each.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final

from vault.domain.customer_tasks import ENDS, TASKS, Task
from vault.domain.event import stamp
from vault.domain.evidence_pack import FORMAT, Pack, PackStep
from vault.domain.formats.visible import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_EPOCH: Final = (2026, 1, 1, 0, 0, 0)
_README: Final = """Evidence of a handover of AWS accounts

pack.html    the whole of it, to read and to print; open it in a browser, it needs no server
pack.json    the same for programs
apn.txt      the text for the APN case
receipts/    one receipt for each entry of the log, as C2SP tlog-proof
records/     AWS's own records on which steps rest, as AWS wrote them; your own trail has the same events

To check that every entry named here is in the log, signed with the log's key, without asking us:

    python -m audit pack pack.json --key VKEY

Take VKEY, the log's public key, from where its owner published it, not from this pack. The entries themselves are not
in the pack: they name our people. Each is fixed by its hash; whoever is shown one later can see that it is the one:

    python -m audit receipt receipts/NUMBER.tlog-proof --leaf ENTRY --key VKEY
"""
_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem } h3 { font-size: 1rem; margin-top: 1.5rem }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid #8886 }
td:first-child { min-width: 5.5rem }
dt { font-weight: 600 } dd { margin: 0 0 .5rem } p, dd, h1 { overflow-wrap: anywhere }
code, pre { font: .8rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
pre { white-space: pre-wrap; border: 1px solid #8886; padding: .75rem }
.scroll { overflow-x: auto }
@media print {
  body { max-width: none; margin: 0; font-size: 10pt } h2, h3 { break-after: avoid } tr { break-inside: avoid }
  .scroll { overflow: visible } table { font-size: 8pt }
  td:nth-child(n + 4) { overflow-wrap: anywhere } td:first-child { min-width: 4rem }
}
"""


def to_json(pack: Pack) -> bytes:
    """Write a pack as JSON: members in order, times as the log writes them."""
    whole = {"format": FORMAT} | asdict(pack) | {"apn_case": pack.apn_case}
    for step, kept in zip(whole["steps"], pack.steps, strict=True):
        step["evidence"] = dict(kept.evidence)
    text = json.dumps(whole, default=_plain, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def to_zip(pack: Pack) -> bytes:
    """Put page, data, text and receipts into one archive."""
    files = {
        "README.txt": _README.encode(),
        "apn.txt": pack.apn_case.encode(),
        "pack.html": to_html(pack).encode(),
        "pack.json": to_json(pack),
    }
    for each in pack.receipts:
        hashes = "".join(f"{line}\n" for line in each.hashes)
        text = f"c2sp.org/tlog-proof@v1\nindex {each.index}\n{hashes}\n{pack.checkpoint}"
        files[f"receipts/{each.index}.tlog-proof"] = text.encode()
    for record in pack.records:
        files[f"records/{record.event}.json"] = record.text.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def to_html(pack: Pack) -> str:
    """Write the page."""
    title = f"Handover of {len(pack.accounts)} AWS account{'' if len(pack.accounts) == 1 else 's'} to {pack.customer}"
    body = [
        f"<h1>{_text(title)}</h1>",
        f"<p>As of {_when(pack.at)}. Handover <code>{pack.case_id}</code>, {_text(pack.state.replace('_', ' '))}.</p>",
        _facts(pack),
        "<h2>The accounts</h2>",
        _accounts(pack),
        "<h2>What was done</h2>",
        "<h3>For the whole handover</h3>",
        _steps(pack.of("")),
        *(f"<h3>Account {_text(each.id)}</h3>{_steps(pack.of(each.id))}" for each in pack.accounts),
        "<h2>What the customer does now</h2>",
        _tasks(TASKS),
        "<h2>What ends</h2>",
        _tasks(ENDS),
        "<h2>Text for the APN case</h2>",
        f"<pre>{_text(pack.apn_case, lines=True)}</pre>",
        *_records(pack),
        "<h2>Proof</h2>",
        _proof(pack),
    ]
    top = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style>"
    )
    main = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en"><head>{top}</head>\n<body><main>\n{main}\n</main></body></html>\n'
    )


def _facts(pack: Pack) -> str:
    facts = [
        ("Customer", f"{pack.customer} (DDI {pack.ddi})"),
        ("Authorised signatory", pack.signatory),
        ("Ticket", pack.ticket),
        ("Begun", _when(pack.opened_at)),
        ("Released", _when(pack.released_at)),
        ("Acknowledged", f"{_when(pack.acknowledged_at)} {_signed(pack)}".strip()),
    ]
    return (
        "<dl>"
        + "".join(f"<dt>{name}</dt><dd>{_text(text or 'not yet')}</dd>" for name, text in facts)
        + "</dl>"
    )


def _signed(pack: Pack) -> str:
    how = {"page": "on the customer's page", "letter": "by letter"}.get(pack.acknowledged_way, "")
    return f"by {pack.acknowledged_by}, {how}" if pack.acknowledged_by else ""


def _accounts(pack: Pack) -> str:
    rows = [
        (
            each.id,
            each.name,
            each.kind,
            each.root_email,
            _when(each.released_at) or "not yet",
            _when(each.destroyed_at) or "not yet",
            _when(each.backups_until),
        )
        for each in pack.accounts
    ]
    heads = (
        "Number",
        "Name",
        "Kind",
        "Root e-mail",
        "Released",
        "What we kept destroyed",
        "No backup from before after",
    )
    return _table(heads, rows)


def _steps(steps: Iterable[PackStep]) -> str:
    rows = [
        (
            _when(each.at),
            f"{each.title} ({each.rule})" + (", waived" if each.state == "waived" else ""),
            each.by + (f"; second word: {each.second}" if each.second else ""),
            "; ".join(
                [
                    *(f"{label}: {text}" for label, text in each.evidence),
                    *([each.words] if each.words else []),
                ]
            ),
            "" if each.entry is None else str(each.entry),
        )
        for each in steps
    ]
    return _table(("When", "Step", "Who", "Evidence", "Entry"), rows) if rows else "<p>Nothing yet.</p>"


def _tasks(tasks: Iterable[Task]) -> str:
    return (
        "<dl>"
        + "".join(f"<dt>{_text(each.title)}</dt><dd>{_text(each.words)}</dd>" for each in tasks)
        + "</dl>"
    )


def _records(pack: Pack) -> Iterable[str]:
    """Show AWS's own records, where steps rest on any."""
    if not pack.records:
        return
    words = (
        "The steps above name each of these by its event and by the SHA-256 of its text. The account's own trail has "
        "the same event."
    )
    yield f"<h2>AWS's own records</h2><p>{_text(words)}</p>"
    for each in pack.records:
        yield f"<h3>Account {_text(each.account_id)}, event {_text(each.event)}</h3><pre>{_text(each.text)}</pre>"


def _proof(pack: Pack) -> str:
    rows = [
        (str(each.index), each.type, each.time, each.account_id, each.leaf_hash) for each in pack.receipts
    ]
    words = (
        f"Each entry below is in the log {pack.origin}. The data beside this page holds a proof for each, under this "
        "signed checkpoint; python -m audit pack pack.json --key VKEY checks them without us. Take the log's public "
        f"key from where it was published; here it is said to be {pack.vkey}."
    )
    return f"<p>{_text(words)}</p><pre>{_text(pack.checkpoint, lines=True)}</pre>" + _table(
        ("Entry", "What", "When", "Account", "Hash of the entry (SHA-256, RFC 6962)"), rows
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f'<th scope="col">{_text(each)}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(words: str, *, lines: bool = False) -> str:
    """Escape text; what hides or turns text around is shown as what it is."""
    parts = words.split("\n") if lines else [words]
    return "\n".join(escape(shown(each)) for each in parts)


def _when(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else str(value)
