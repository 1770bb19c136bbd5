"""Hostile mail is read within bounds, senders are believed on our server's word alone, and doubt is security mail."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mailbox import AUTHSERV, CODE, RESET, code, invoice, message, reset
from vault.domain.mail import Letter, MailKind, Said, Verdict
from vault.domain.mail_rules import ORDINARY, RULES, SECURITY, classify, is_aws_link, title_of
from vault.domain.mail_said import heard, heard_of_ses
from vault.domain.mail_text import LIMITS, hashed_content, plain, read_letter

HEAD = b"From: a@b.example\r\n"
SECONDS = 20.0
"""Of the processor: what grows by the square of its length takes minutes; what is bounded takes a quarter of one."""
"""No reading of ten megabytes may take longer; most take a twentieth of it."""


def judged(raw: bytes) -> tuple[MailKind, str, bool]:
    """Say what a mail is."""
    letter = read_letter(raw)
    classed = classify(letter, heard(letter.results, AUTHSERV, letter.sender))
    return classed.kind, classed.rule, classed.forged


def test_a_mail_is_read_as_text_with_its_links() -> None:
    letter = read_letter(reset())
    assert (letter.sender, letter.sender_name) == ("no-reply@signin.aws", "Amazon Web Services")
    assert letter.links == (RESET,)
    assert letter.subject == "Amazon Web Services Password Assistance"
    assert letter.is_whole
    assert CODE not in repr(read_letter(code()))


def test_html_is_read_for_its_words_and_never_drawn() -> None:
    html = (
        "<html><head><title>no</title><style>p{}</style></head><body><script>alert(1)</script><!-- hidden 111222 -->"
        '<p>Reset&nbsp;it <a href="https://signin.aws.amazon.com/x?a=1&amp;b=2">here</a><br>now</p></body></html>'
    )
    raw = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
    letter = read_letter(raw)
    assert letter.text.split("\n") == ["Reset it here", "now"]
    assert letter.links == ("https://signin.aws.amazon.com/x?a=1&b=2",)


def test_attachments_are_named_and_sized_and_never_opened() -> None:
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b\r\n"
        + b'Content-Type: application/zip; name="a.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDB\r\n--b\r\n'
        + b"Content-Disposition: attachment; filename*=utf-8''%e2%80%aeexe.txt\r\n\r\nx\r\n--b--\r\n"
    )
    letter = read_letter(raw)
    assert letter.text == "words"
    assert [(each.name, each.type, each.size) for each in letter.attachments] == [
        ("a.zip", "application/zip", 5),
        ("exe.txt", "text/plain", 1),
    ]


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        (b"iso-8859-1", b"Gr\xfc\xdfe", "Grüße"),
        (b"no-such", b"Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"utf-8", b"\xff\xfeab", "��ab"),
        (b"zip_codec", b"ab", "ab"),
        (b"utf-7", b"+AGE-b", "ab"),
        (b"utf-8", b"a\x00b\x1b[31m", "ab[31m"),
        (b"utf-8", "a\u202eb\u2066c".encode(), "abc"),
    ],
)
def test_charsets_may_lie(charset: bytes, body: bytes, text: str) -> None:
    raw = HEAD + b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n" + body
    assert read_letter(raw).text == text


HOSTILE = {
    "a header without end": b"X: " + b"a" * 9_000_000,
    "many header lines": b"".join(b"X-%d: a\r\n" % number for number in range(5_000)) + b"\r\nx",
    "deep parts": HEAD
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (each, each)
        for each in range(2_000)
    ),
    "many parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 500_000,
    "quotes": HEAD + b"Content-Type: text/plain; " + b'";' * 60_000 + b"\r\n\r\nx",
    "brackets": b"From: " + b"(<" * 60_000 + b"\r\n\r\nx",
    "base64 of nothing": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!!!" * 3_000_000,
    "tags": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a href=x " * 1_000_000,
    "comments": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 2_000_000,
    "scripts": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<script></script" * 600_000,
    "links": HEAD + b"\r\n" + b"https://" * 1_000_000,
    "encoded words": HEAD + b"Subject: " + b"=?utf-8?q?" * 10_000 + b"\r\n\r\nx",
    "nothing": b"",
    "blanks": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (b"--b" + b" " * 3_000) * 3_000,
    "nulls": b"\x00" * 1_000_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_meant_to_cost_much_costs_little_and_is_sealed(what: str) -> None:
    begun = time.process_time()
    letter = read_letter(HOSTILE[what])
    classed = classify(letter, Said(Verdict.PASSED))
    hashed_content(HOSTILE[what])
    assert time.process_time() - begun < SECONDS
    assert classed.kind is MailKind.SECURITY
    assert len(letter.text) <= LIMITS.text
    assert len(letter.links) <= LIMITS.links
    assert len(letter.attachments) <= LIMITS.attachments


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", HEAD, HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"]),
)
def test_no_bytes_make_it_raise(raw: bytes, before: bytes) -> None:
    letter = read_letter(before + raw)
    assert all(each.isprintable() or each in "\n\t" for each in letter.text)


@pytest.mark.parametrize(
    ("raw", "kind", "rule"),
    [
        (reset(), MailKind.SECURITY, "password_reset"),
        (code(), MailKind.SECURITY, "sign_in_code"),
        (invoice(), MailKind.ORDINARY, "billing"),
        (invoice(html="<p>Your code: 123456</p>"), MailKind.SECURITY, "unknown"),
        (invoice(html='<a href="https://signin.aws.amazon.com/a">in</a>'), MailKind.SECURITY, "unknown"),
        (invoice(html='<a href="https://x.example/?token=1">in</a>'), MailKind.SECURITY, "unknown"),
        (invoice(said=""), MailKind.SECURITY, "unproven"),
        (invoice(said="dmarc=fail header.from=amazon.com"), MailKind.SECURITY, "forged"),
        (invoice(sender="AWS Billing <a@evil.example>"), MailKind.SECURITY, "forged"),
        (invoice(sender="Amazon <no-reply-aws@amazon.com.evil.example>"), MailKind.SECURITY, "forged"),
        (invoice(sender="Bob <bob@partner.example>", said="dmarc=pass"), MailKind.SECURITY, "unknown"),
        (message("hello", "a word", "no-reply-aws@amazon.com", said="dmarc=pass"), MailKind.SECURITY, "unknown"),
        (b"From: a@amazon.com\r\nFrom: b@evil.example\r\n\r\nx", MailKind.SECURITY, "unproven"),
    ],
)  # fmt: skip
def test_what_is_not_proven_to_be_harmless_is_security_mail(raw: bytes, kind: MailKind, rule: str) -> None:
    assert judged(raw)[:2] == (kind, rule)


@pytest.mark.parametrize("rule", ORDINARY, ids=lambda each: each.name)
def test_each_kind_of_harmless_mail_is_known_by_its_sender_and_subject(rule: object) -> None:
    subjects = {
        "billing": "Your AWS invoice is available",
        "support_case": "[CASE 171234567890] Re: a question",
        "health": "Scheduled maintenance of an instance",
        "abuse": "Your Amazon EC2 Abuse Report",
        "subscription": "ALARM: disk is full",
        "news": "What is new this week",
    }
    known = next(each for each in ORDINARY if each is rule)
    sender = next(each for each in known.senders if not each.startswith("@"))
    letter = Letter(subject=subjects[known.name], searched="words", sender=sender)
    assert classify(letter, Said(Verdict.PASSED)).rule == known.name
    assert classify(letter, Said()).kind is MailKind.SECURITY
    assert classify(replace(letter, sender="eve@evil.example"), Said(Verdict.PASSED)).rule == "unknown"
    assert classify(replace(letter, is_whole=False), Said(Verdict.PASSED)).rule == "unread"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("password_reset", "Reset your password"),
        ("sign_in_code", "Your one-time code"),
        ("mfa", "A new MFA device"),
        ("email_change", "Confirm the change of your e-mail address"),
        ("sign_in_link", "You are invited to join an organization"),
    ],
)
def test_each_kind_of_security_mail_is_known_by_its_words(name: str, words: str) -> None:
    assert classify(Letter(subject=words), Said()).rule == name
    assert classify(Letter(searched=words.upper()), Said(Verdict.PASSED)).rule == name
    assert {each.name for each in SECURITY} < set(RULES)
    assert title_of("no such rule")


def test_a_sender_that_the_host_names_is_harmless_where_it_is_proven() -> None:
    letter = Letter(subject="hello", searched="words", sender="bob@partner.example")
    for more in ("bob@partner.example", "@partner.example"):
        assert classify(letter, Said(Verdict.PASSED), (more,)).kind is MailKind.ORDINARY
        assert classify(letter, Said(), (more,)).kind is MailKind.SECURITY


@pytest.mark.parametrize(
    ("lines", "sender", "verdict"),
    [
        (["mx; dmarc=pass header.from=a.example"], "x@a.example", Verdict.PASSED),
        (["mx 1; dkim=pass (2048-bit key (x)) header.d=a.example"], "x@mail.a.example", Verdict.PASSED),
        (["mx; spf=pass smtp.mailfrom=b@a.example"], "x@a.example", Verdict.PASSED),
        (["mx; dkim=pass header.d=evil.example"], "x@a.example", Verdict.UNSAID),
        (["mx; dkim=fail header.d=a.example"], "x@a.example", Verdict.FAILED),
        (["mx; dkim=pass header.d=a.example; dmarc=fail"], "x@a.example", Verdict.FAILED),
        (["evil; dmarc=pass header.from=a.example"], "x@a.example", Verdict.UNSAID),
        (["mx; dmarc=fail", "mx; dmarc=pass header.from=a.example"], "x@a.example", Verdict.FAILED),
        (["mx; dmarc=pass header.from=a.example"], "", Verdict.FAILED),
        (["mx; dkim=pass header.d=example"], "x@a.example", Verdict.UNSAID),
        (["mx; none"], "x@a.example", Verdict.UNSAID),
        (["mx"], "x@a.example", Verdict.UNSAID),
    ],
)
def test_only_our_servers_word_on_the_very_domain_counts(
    lines: list[str], sender: str, verdict: Verdict
) -> None:
    assert heard(lines, "mx", sender).verdict is verdict
    assert heard(lines, "", sender).verdict is Verdict.UNSAID


def test_results_further_down_than_our_own_servers_are_not_read() -> None:
    raw = (
        b"Authentication-Results: mx; dmarc=pass\r\nReceived: by mx\r\nAuthentication-Results: mx; spf=pass\r\n"
        b"Received: by evil\r\nAuthentication-Results: mx; dkim=pass\r\nFrom: a@b.example\r\n\r\nx"
    )
    assert [len(read_letter(raw, hops).results) for hops in (0, 1, 2)] == [1, 2, 3]


def test_verdicts_of_ses_prove_a_sender_by_dmarc_alone() -> None:
    def receipt(**verdicts: str) -> dict[str, object]:
        return {f"{name}Verdict": {"status": status} for name, status in verdicts.items()}

    assert heard_of_ses(receipt(dmarc="PASS", spf="PASS"), "a@b.example").verdict is Verdict.PASSED
    assert heard_of_ses(receipt(dkim="PASS", spf="PASS"), "a@b.example").verdict is Verdict.UNSAID
    assert heard_of_ses(receipt(dmarc="FAIL"), "a@b.example").verdict is Verdict.FAILED
    assert heard_of_ses({"dmarcVerdict": "PASS"}, "a@b.example").verdict is Verdict.UNSAID


@pytest.mark.parametrize(
    ("link", "is_aws"),
    [
        (RESET, True),
        ("https://eu-west-1.signin.aws/x", True),
        ("https://aws.amazon.com", True),
        ("http://aws.amazon.com", False),
        ("https://evil.s3.amazonaws.com/x", False),
        ("https://aws.amazon.com.evil.example", False),
        ("https://aws.amazon.com@evil.example", False),
        ("https://aws.amazon.com:8443/", False),
        ("https://evil.example\\.aws.amazon.com", False),
        ("https://[::1", False),
    ],
)
def test_only_aws_own_pages_may_be_followed(link: str, *, is_aws: bool) -> None:
    assert is_aws_link(link) is is_aws


def test_one_line_holds_no_trick() -> None:
    assert plain("a\r\nBcc: x\u202e\x00 b", 100) == "a Bcc: x b"
