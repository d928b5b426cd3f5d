"""The fingerprint sees roles, order and the division into turns."""

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.sources.hashing import content_hash
from datasets_app.sources.records import Turn

from .reading import as_turns

TURNS = st.lists(
    st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=8)), max_size=6
)


@given(first=TURNS, second=TURNS)
def test_only_equal_conversations_hash_equally(first: list[Turn], second: list[Turn]) -> None:
    assert (content_hash(first) == content_hash(second)) == (first == second)


def test_swapped_roles_other_order_and_other_division_differ() -> None:
    variants = [
        as_turns(("user", "a"), ("assistant", "b")),
        as_turns(("assistant", "a"), ("user", "b")),
        as_turns(("user", "b"), ("assistant", "a")),
        as_turns(("user", "ab")),
        as_turns(("user", 'a"],["assistant","b')),
    ]
    assert len({content_hash(turns) for turns in variants}) == len(variants)


def test_the_hash_stays_what_it_was() -> None:
    assert (
        content_hash(as_turns(("user", "é"), ("assistant", "Hm")))
        == "sha256:fb7593f388648954d6b1642dfbe20370be74b69aa1b35c4b2f17ea8de1324a0b"
    )
