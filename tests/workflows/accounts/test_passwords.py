"""Which passwords are taken: long ones that cannot be guessed, of whatever characters."""

import pytest
from account_help import cheap_hashes

from pipeline.errors import UsageError
from pipeline.workflows.accounts.passwords import check_password, fits, hashed, is_outdated


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "四个不相干的词连起来就行了",
        "alllowercasebutlongenough",
        "9381 7264 5501",
        "      x9 a b c",
        "wangmin has a long one",
        "x" + "密" * 3 + "abcdefgh",
        "a1b2c3d4e5f6" * 21,
    ],
)
def test_length_counts_and_not_the_kinds_of_characters(password: str) -> None:
    if password == "a1b2c3d4e5f6" * 21:
        password = password[:-1] + "!"
    check_password(password, "wangmin")
    assert fits(password, hashed(password))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "太短"),
        ("Xy7!Xy7!Xy8", "太短"),
        ("x9" * 129, "太长"),
        ("wangmin12345", "登录名"),
        ("12345WANGMIN6789", "登录名"),
        ("aaaaaaaaaaaaaaaa", "重复"),
        ("abcabcabcabcabc", "重复"),
        ("correctcorrect", "重复"),
        ("123456789012", "连续"),
        ("987654321098", "连续"),
        ("abcdefghijklm", "连续"),
        ("Password2024!", "常见"),
        ("admin@123456", "常见"),
        ("qwertyuiop123", "常见"),
        ("ｐａｓｓｗｏｒｄ１２３４", "常见"),
        ("callscore2024", "常见"),
        ("管理员1234567890", "常见"),
    ],
)
def test_what_is_guessed_first_is_refused_with_the_reason(password: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        check_password(password, "wangmin")
    assert caught.value.hint
    assert not password or password not in str(caught.value)


def test_a_password_is_the_same_from_every_input_method() -> None:
    assert fits("ｅleven ｗords é", hashed("eleven words é"))
    assert not fits("Eleven words é", hashed("eleven words é"))


def test_two_hashes_of_one_password_differ() -> None:
    assert hashed("one password") != hashed("one password")
    assert not is_outdated(hashed("one password"))


@pytest.mark.parametrize("kept", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$AAAA", None])
def test_a_hash_that_is_none_fits_nothing(kept: str | None) -> None:
    assert not fits("one password", kept)


def test_a_longer_password_is_not_the_one_that_it_begins_with() -> None:
    longest = "".join(chr(0x4E00 + n) for n in range(256))
    assert fits(longest, hashed(longest))
    assert not fits(longest + "x", hashed(longest))
