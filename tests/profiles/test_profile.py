from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shuke import access, privacy, profiles
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Database, Keyring, Transaction

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def resolved(tx: Transaction, keyring: Keyring, *ids: tuple[str, str]) -> UUID:
    (one,) = profiles.resolve(tx, keyring, [ids], NOW)
    assert one is not None
    return one.customer_id


def test_a_profile_is_masked_unless_the_reader_may_see_it(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        anna = resolved(tx, keyring, ("phone", "138 1234 5678"), ("email", "anna@x.com"), ("user_id", "u1"))
        given = {"name": "王小明", "birth_date": "1990-02-03", "city": "杭州", "gender": "female"}
        assert profiles.set_attributes(tx, keyring, [(anna, given)], NOW) == []
        masked = profiles.profile_360(tx, keyring, anna, NOW)
        assert {one.kind: one.value for one in masked.identities} == {
            "user_id": "***",
            "email": "a***@x.com",
            "phone": "138****5678",
        }
        assert masked.attributes == {"name": "王**", "birth_date": "1990-**-**", "city": "杭州", "gender": "female"}
        seen = profiles.profile_360(tx, keyring, anna, NOW, fields=access.CLEAR)
        assert {one.kind: one.value for one in seen.identities}["phone"] == "+8613812345678"
        assert seen.attributes == given


def test_attributes_are_checked_by_their_types(database: Database, keyring: Keyring) -> None:
    kinds = profiles.AttributeType
    with database.begin() as tx:
        for definition in (
            profiles.AttributeDefinition("shoe_size", kinds.NUMBER, personal=False),
            profiles.AttributeDefinition("vip", kinds.BOOLEAN, personal=False),
            profiles.AttributeDefinition("skin", kinds.CHOICE, personal=True, choices=("dry", "oily")),
        ):
            profiles.define_attribute(tx, definition, NOW)
        anna = resolved(tx, keyring, ("user_id", "u1"))
        changes = [
            (anna, {"shoe_size": "38.5", "vip": "TRUE", "skin": "dry"}),
            (anna, {"shoe_size": "big", "vip": 7, "skin": "blue", "heart": 1, "birth_date": "1990-02-30"}),
        ]
        refused = profiles.set_attributes(tx, keyring, changes, NOW)
        assert [(one.index, one.attribute, one.code) for one in refused] == [
            (1, "shoe_size", "profiles.bad_value"),
            (1, "vip", "profiles.bad_value"),
            (1, "skin", "profiles.bad_value"),
            (1, "heart", "profiles.unknown_attribute"),
            (1, "birth_date", "profiles.bad_value"),
        ]
        read = profiles.profile_360(tx, keyring, anna, NOW, fields=access.CLEAR)
        assert read.attributes == {"shoe_size": 38.5, "vip": True, "skin": "dry"}
        with pytest.raises(BadInput, match="attribute_fixed"):
            profiles.define_attribute(tx, profiles.AttributeDefinition("vip", kinds.TEXT, personal=False), NOW)
        profiles.retire_attribute(tx, "vip", NOW)
        assert profiles.set_attributes(tx, keyring, [(anna, {"vip": False})], NOW)[0].code.endswith("unknown_attribute")


def test_what_is_taken_away_is_gone_from_every_part(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        old, new = resolved(tx, keyring, ("user_id", "u1")), resolved(tx, keyring, ("phone", "13812345678"))
        profiles.set_attributes(tx, keyring, [(old, {"city": "杭州"}), (new, {"city": "上海", "name": "李雷"})], NOW)
        profiles.merge(tx, old, new, {"by": "test"}, NOW)
        read = profiles.profile_360(tx, keyring, new, NOW, fields=access.CLEAR)
        assert read.customer_id == old
        assert read.attributes == {"city": "杭州", "name": "李雷"}
        profiles.set_attributes(tx, keyring, [(new, {"city": None, "name": None})], NOW)
        assert profiles.profile_360(tx, keyring, old, NOW, fields=access.CLEAR).attributes == {}


def test_tags_expire_and_are_of_all_parts(database: Database, keyring: Keyring) -> None:
    tomorrow = NOW + timedelta(days=1)
    with database.begin() as tx:
        old, new = resolved(tx, keyring, ("user_id", "u1")), resolved(tx, keyring, ("phone", "13812345678"))
        profiles.add_tags(
            tx,
            [
                profiles.NewTag(old, "VIP", "wecom"),
                profiles.NewTag(new, "double eleven", "campaign", tomorrow),
                profiles.NewTag(new, "VIP", "wecom", tomorrow),
            ],
            NOW,
        )
        profiles.merge(tx, old, new, {"by": "test"}, NOW)
        shown = profiles.profile_360(tx, keyring, old, NOW).tags
        assert [(one.tag, one.source) for one in shown] == [("VIP", "wecom"), ("double eleven", "campaign")]
        shown = profiles.profile_360(tx, keyring, old, tomorrow).tags
        assert [one.tag for one in shown] == ["VIP"]
        assert profiles.drop_expired_tags(tx, tomorrow) == 2
        profiles.remove_tag(tx, [new], "VIP")
        assert profiles.profile_360(tx, keyring, old, NOW).tags == ()
        with pytest.raises(BadInput, match="bad_tag"):
            profiles.add_tags(tx, [profiles.NewTag(old, " ", "wecom")], NOW)
        with pytest.raises(NotFound):
            profiles.add_tags(tx, [profiles.NewTag(new_id(), "VIP", "wecom")], NOW)


def test_a_household(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        anna, ben = resolved(tx, keyring, ("user_id", "u1")), resolved(tx, keyring, ("user_id", "u2"))
        profiles.form_household(tx, [anna, ben], NOW)
        assert profiles.profile_360(tx, keyring, ben, NOW).household == tuple(sorted((anna, ben)))
        profiles.leave_household(tx, ben)
        assert profiles.profile_360(tx, keyring, ben, NOW).household == ()
        with pytest.raises(BadInput, match="bad_household"):
            profiles.form_household(tx, [anna, anna], NOW)


def test_the_latest_word_of_any_part_counts(database: Database, keyring: Keyring) -> None:
    def said(customer: UUID, state: str, minutes: int) -> privacy.Consent:
        return privacy.Consent(
            customer_id=customer,
            purpose="marketing",
            channel="sms",
            state=privacy.ConsentState(state),
            notice_version="v1",
            proof=privacy.Proof(privacy.ProofMethod.FORM),
            at=NOW - timedelta(minutes=minutes),
            by="customer",
        )

    with database.begin() as tx:
        old, new = resolved(tx, keyring, ("user_id", "u1")), resolved(tx, keyring, ("phone", "13812345678"))
        profiles.record_consents(tx, keyring, [said(new, "withdrawn", 5), said(old, "granted", 9)], NOW)
        assert profiles.consents_of(tx, [old])[old][0].state == "granted"
        made = profiles.merge(tx, old, new, {"by": "test"}, NOW)
        assert profiles.consents_of(tx, [old, new, new_id()]).keys() == {old, new}
        assert profiles.consents_of(tx, [old])[old][0].state == "withdrawn"
        profiles.unmerge(tx, made.merge_id, NOW)
        assert profiles.consents_of(tx, [old])[old][0].state == "granted"


def test_a_child_is_one_in_every_part(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        old, child = resolved(tx, keyring, ("user_id", "u1")), resolved(tx, keyring, ("phone", "13812345678"))
        profiles.set_attributes(tx, keyring, [(child, {"birth_date": "2015-01-01"})], NOW)
        consent = privacy.Consent(
            customer_id=old,
            purpose="marketing",
            channel="sms",
            state=privacy.ConsentState.GRANTED,
            notice_version="v1",
            proof=privacy.Proof(privacy.ProofMethod.FORM),
            at=NOW,
            by="customer",
        )
        profiles.record_consents(tx, keyring, [consent], NOW)
        profiles.merge(tx, old, child, {"by": "test"}, NOW)
        with pytest.raises(Conflict, match="needs_guardian"):
            profiles.record_consents(tx, keyring, [consent], NOW)


def test_the_erased_are_found_no_more_and_come_back_as_somebody_new(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        old, new = resolved(tx, keyring, ("user_id", "u1")), resolved(tx, keyring, ("phone", "13812345678"))
        profiles.set_attributes(tx, keyring, [(old, {"name": "王小明", "city": "杭州"})], NOW)
        made = profiles.merge(tx, old, new, {"by": "test"}, NOW)
        facts = profiles.identities_of(tx, [old])[old]
        assert set(profiles.erase(tx, new, NOW)) == {old, new}
        assert profiles.find(tx, keyring, "phone", "13812345678") is None
        assert profiles.customers_of(tx, facts) == dict.fromkeys(facts, old)
        with pytest.raises(NotFound):
            profiles.profile_360(tx, keyring, old, NOW)
        with pytest.raises(NotFound):
            profiles.erase(tx, old, NOW)
        with pytest.raises(Conflict, match="merge_erased"):
            profiles.unmerge(tx, made.merge_id, NOW)
        assert resolved(tx, keyring, ("user_id", "u1")) not in (old, new)
