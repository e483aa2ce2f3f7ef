"""Taking values from the environment."""

import pytest

from bridge.errors import ConfigError
from bridge.settings.references import resolve


def test_a_reference_is_followed_and_its_value_is_a_secret() -> None:
    assert resolve("Bearer ${TOKEN}!", {"TOKEN": "abc"}) == ("Bearer abc!", frozenset({"abc"}))


def test_several_references_are_followed_and_what_they_bring_is_taken_as_it_is() -> None:
    text, secrets = resolve("${A}-${B}-${A}", {"A": "${B}", "B": "2"})
    assert text == "${B}-2-${B}"
    assert secrets == {"${B}", "2"}


def test_a_doubled_dollar_is_a_literal_one_before_a_brace() -> None:
    assert resolve("$${A} costs $5 $$", {}) == ("${A} costs $5 $$", frozenset())


def test_a_missing_name_is_told_by_its_name() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("x-${TOKEN}", {"OTHER": "secret"})
    assert str(caught.value) == "${TOKEN}: is not set (set TOKEN in the environment)"


@pytest.mark.parametrize("text", ["${}", "${a-b}", "${1A}", "${OPEN", "${ A }"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="names no environment variable"):
        resolve(text, {"OPEN": "1"})
