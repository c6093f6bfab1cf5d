"""Sentences name states, verbs and kinds in words of their language, and say what could be done instead."""

import pytest

from campaigns.domain.codes import sentence
from campaigns.domain.codes.words import WORDS
from campaigns.domain.errors import Refused
from campaigns.domain.proofs import PROOF_KINDS
from campaigns.domain.roles import KIND_SCOPES
from campaigns.domain.states import CAMPAIGN, DRAW, OUR_OWN, TABLES, next_state


@pytest.mark.parametrize("table", TABLES)
def test_every_state_and_verb_of_a_caller_has_its_word(table: str) -> None:
    named = table not in ("allotment", "award")  # their verbs are not asked for by name
    for (before, verb), after in TABLES[table].items():
        if named and verb not in OUR_OWN:
            assert verb in WORDS["verb"] and before in WORDS["state"] and after in WORDS["state"]


def test_every_kind_has_its_word() -> None:
    assert {*PROOF_KINDS, *KIND_SCOPES} == set(WORDS["kind"])


def test_no_chinese_word_is_english() -> None:
    for words in WORDS.values():
        for value, word in words.items():
            assert not word.zh.isascii() and word.en.isascii(), value


def test_a_wrong_state_says_what_is_possible() -> None:
    with pytest.raises(Refused) as caught:
        next_state(CAMPAIGN, "submitted", "publish")
    facts = caught.value.facts
    assert facts == {"state": "submitted", "verb": "publish", "possible": "withdraw, approve"}
    assert sentence("wrong_state", facts, "zh") == "当前为“待审批”，不能发布；现在可以：撤回、审批。"
    english = sentence("wrong_state", facts, "en")
    assert english == "Not possible while it is submitted: publish. Possible now: withdraw, approve."


def test_what_hongbao_does_itself_is_not_offered() -> None:
    with pytest.raises(Refused) as caught:
        next_state(CAMPAIGN, "published", "submit")
    assert caught.value.facts["possible"] == "pause, close"
    with pytest.raises(Refused) as caught:
        next_state(DRAW, "awarded", "award")
    assert caught.value.facts["possible"] == "-"


def test_a_value_without_a_word_stays_as_it_is() -> None:
    assert "“x”" in sentence("wrong_state", {"state": "x", "verb": "submit", "possible": "-"}, "zh")
    assert sentence("not_found", {"subject": "voucher"}, "zh") == "查无此项：消费券。"
