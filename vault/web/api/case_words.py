"""One word on a step of many accounts, under one fresh factor, and what waits for such a second word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from vault.domain.outlook import Standing
from vault.domain.policy import Permission
from vault.errors import NotFound
from vault.services.case_compare import compare
from vault.services.case_words import MOST, Answer, Outcome
from vault.web.api.cases import AGAIN, WORD_PROBLEMS
from vault.web.api.routes import operation
from vault.web.api.schemas.case_words import StepWords, StepWordsAnswer, StepWordsQuery, StepWordsWaiting
from vault.web.auth import actor, the_vault
from vault.web.requests import parse

if TYPE_CHECKING:
    from vault.domain.outlook import Item
    from vault.services.case_views import CaseWhole


@operation("GET", "/cases/<case_id>/steps/<step>/words", Permission.CASE_READ)
def list_step_words(case_id: str, step: str, sent: StepWordsQuery) -> StepWordsWaiting:
    """Read what waits for your second word on a step, side by side: what is the same of all, and what is not."""
    whole = the_vault().cases.reading.whole(actor(), case_id)
    wanted = sent.numbers
    waiting = [each for each in whole.second_words(step) if not wanted or each.account_id in wanted]
    return StepWordsWaiting.of(len(waiting), compare(whole, waiting[:MOST]))


@operation("POST", "/cases/<case_id>/steps/<step>/words", Permission.CASE_READ, problems=WORD_PROBLEMS)
def say_step_words(case_id: str, step: str, sent: StepWords) -> StepWordsAnswer:
    """Say one word on a step of many accounts: that it is done, the second word, its refusal, or a waiver.

    One fresh factor is for exactly this list. Each account is looked at anew and has its own entry; what is refused of
    one stops no other, but for the same in a row. What is said already is the same; what is left takes another factor.
    """
    return said_of_many(case_id, step, sent)


def said_of_many(case_id: str, step: str, sent: StepWords) -> StepWordsAnswer:
    """Say it; for the routes of each kind."""
    many, who = the_vault().cases.many, actor()
    otp = "" if sent.otp is None else sent.otp.expose()
    if sent.evidence is not None:
        answers = many.attest(who, case_id, step, sent.numbers, sent.evidence, otp)
    elif sent.agree is not None:
        looked_at = {each.account_id: each.at for each in sent.accounts if each.at is not None}
        answers = many.agree(who, case_id, step, looked_at, otp)
    elif sent.disagree is not None:
        answers = many.disagree(who, case_id, step, sent.numbers, sent.disagree)
    else:
        answers = many.waive(who, case_id, step, sent.numbers, sent.waive or "", otp)
    return StepWordsAnswer.of(step, answers)


def words_again(case_id: str) -> StepWordsAnswer:
    """Show how the accounts of a repeated request stand now: those with the reader's word are the same, others left.

    What has no such step is refused as it was, and takes nothing from the others.
    """
    sent, step = parse(StepWords), str((request.view_args or {}).get("step", ""))
    whole = the_vault().cases.reading.whole(actor(), case_id)
    return StepWordsAnswer.of(step, tuple(_stands(whole, step, number, sent) for number in sent.numbers))


def _stands(whole: CaseWhole, step: str, number: str, sent: StepWords) -> Answer:
    try:
        item = whole.item(step, number)
    except NotFound as error:
        return Answer(number, Outcome.REFUSED, None, error.code, error.detail)
    return Answer(number, Outcome.SAME if _is_said(item, sent) else Outcome.LEFT, item)


def _is_said(item: Item, sent: StepWords) -> bool:
    """Say whether a step bears this word of the reader."""
    if item.done is None:
        return False
    if sent.disagree is not None:
        return item.standing is Standing.FAILED and item.done.words == sent.disagree.strip()
    return actor().id == (item.done.by if sent.agree is None else item.done.second_by)


AGAIN["say_step_words"] = words_again
