"""Mail comes to root addresses: a bill, a way to reset a password, one that AWS never wrote, one for nobody (C7).

It comes as it would, over SMTP from the mail server before us, whose word says which of it AWS wrote.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

from vault.adapters.mailbox.receiver import Listening, Receiver
from vault.cli.admin.demo.world import DOMAIN
from vault.domain.actor import Role
from vault.domain.mail import MailKind
from vault.ports.records import Slice
from vault.services.mailbox import Came

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.cli.admin.demo.cast import Player
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground
    from vault.domain.mail import Mail

SERVER: Final = f"mx.{DOMAIN}"
"""The mail server before us, whose results are believed."""
NOBODYS: Final = f"aws+310000000052@{DOMAIN}"
RESET: Final = "https://signin.aws.amazon.com/resetpassword?type=RootUser&token=MadeUpForTheStory"
FORGED: Final = "https://signin-aws.example/resetpassword"
BILL: Final = (
    "AWS <no-reply-aws@amazon.com>", "amazon.com", "Amazon Web Services Invoice Available",
    "Your invoice for last month is available in the console.",
)  # fmt: skip
WAY_IN: Final = (
    '"Amazon Web Services" <no-reply@signin.aws>', "signin.aws", "Amazon Web Services Password Assistance",
    f"Somebody asked to reset the password of your root user. Reset it here: {RESET}",
)  # fmt: skip
WRITTEN: Final = (
    '"Amazon Web Services" <security@signin-aws.example>', "", "Urgent: your root user is locked",
    f"Confirm your password within the hour: {FORGED}",
)  # fmt: skip


def come_in(act: Act, operator: Player, ground: Ground) -> None:
    """Take four mails in, and open the one that is a way in, under a lease."""
    vault, stage = act.vault, act.stage
    stage.scene("Mail to root addresses")
    with _listening(vault) as receiver:
        with stage.step("AWS's invoice comes over SMTP: proven and harmless, it is one for a ticket"):
            _expect(_sent(act, receiver, ground.root_email, *BILL), MailKind.ORDINARY)
        with stage.step(f"A link that resets the password of {ground.name} comes, and is sealed") as told:
            way_in = _expect(_sent(act, receiver, ground.root_email, *WAY_IN), MailKind.SECURITY)
            told("its subject stands nowhere")
        with stage.step("A mail comes that AWS never wrote: it is sealed and marked") as told:
            mail = _expect(_sent(act, receiver, ground.root_email, *WRITTEN), MailKind.SECURITY)
            if not mail.forged:
                raise AssertionError("our mail server says that its sender is not who they say")
            told("none of its links will be given as a link")
        with stage.step("A mail comes for no account: a custodian finds whose it is"):
            if _sent(act, receiver, NOBODYS, *BILL).account_id is not None:
                raise AssertionError("nobody has this address")
    why = "Somebody asked AWS to reset this password; look at what came."
    checkout = act.lease(operator, ground, "INCIDENT", why, act.cast.of(Role.APPROVER))
    with stage.step(
        f"{operator.part.name} opens the sealed mail under the lease; its entry came first"
    ) as told:
        opened = vault.mails.open(operator.actor(vault), checkout.id, way_in.id)
        if [each.expose() for each in opened.links] != [RESET]:
            raise AssertionError("what AWS sent is what is read")
        told(f"entry {opened.receipt.index}")
    act.check_in(operator, checkout)


@contextmanager
def _listening(vault: Vault) -> Iterator[Receiver]:
    box = vault.mailbox
    receiver = Receiver(Listening("127.0.0.1:0"), box.would_take, lambda raw, to: box.receive(Came(raw, to)))
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.close()


def _sent(act: Act, receiver: Receiver, to: str, sender: str, proven: str, subject: str, text: str) -> Mail:
    """Hand a mail over as our mail server does, and find it as it was kept."""
    act.clock.advance(1)
    now = act.clock.now()
    mail = EmailMessage()
    mail["Received"] = f"from outside by {SERVER}; {now:%a, %d %b %Y %H:%M:%S} +0000"
    said = f"dkim=pass header.d={proven}; dmarc=pass header.from={proven}" if proven else "dmarc=fail"
    mail["Authentication-Results"] = f"{SERVER}; {said}"
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{now:%H%M%S}@{proven or 'signin-aws.example'}>"
    mail.set_content(text)
    with smtplib.SMTP("127.0.0.1", receiver.port, local_hostname=SERVER, timeout=10) as server:
        server.send_message(mail, "bounces@amazonses.example", [to])
    vault, custodian = act.vault, act.cast.of(Role.CUSTODIAN).actor(act.vault)
    if to == NOBODYS:
        return vault.mails.unmatched(custodian, Slice(1)).items[0].mail
    return vault.mails.page(custodian, Slice(1)).items[0].mail


def _expect(mail: Mail, kind: MailKind) -> Mail:
    if mail.kind is not kind:
        raise AssertionError(f"this mail is {mail.kind}, not {kind}")
    return mail
