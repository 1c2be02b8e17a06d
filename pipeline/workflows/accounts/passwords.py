"""Passwords: which are taken, how they are kept, how one is checked."""

import re
import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipeline.account import TEMPORARY
from pipeline.errors import UsageError

SHORTEST, LONGEST = 12, 256
FEWEST_DIFFERENT = 5
COMMON_WORDS = """
    password passwort passphrase letmein welcome qwerty qwertyuiop asdfghjkl zxcvbnm qazwsx qazwsxedc
    iloveyou admin administrator root superuser guest user login test testing demo changeme default
    secret master monkey dragon football baseball sunshine princess abc abcd abcdef abcdefg abcdefgh
    callscore callcenter callcentre kefu zhijian zuoxi woaini mima nihao 密码 管理员 质检
"""
COMMON = frozenset(COMMON_WORDS.split())
"""Words that are no password, whatever digits and signs stand around them."""
RUNS = ("0123456789" * 30, "9876543210" * 30, "abcdefghijklmnopqrstuvwxyz" * 11)

CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 5

HASHER = PasswordHasher()
"""argon2id with the library's parameters of today."""


def check_password(password: str, login: str) -> None:
    """Long enough and not to be guessed; which kinds of characters are in it is everybody's own affair.
    Raises UsageError."""
    plain = _normal(password)
    fault = _fault(plain, login)
    if fault:
        raise UsageError(fault, hint=f"{SHORTEST} 到 {LONGEST} 个字，例如几个不相干的词连起来，可以有空格")


def hashed(password: str, *, temporary: bool = False) -> str:
    """What is kept in place of a password; each time another salt. `temporary`: its owner must change it."""
    return (TEMPORARY if temporary else "") + HASHER.hash(_normal(password))


def new_password() -> str:
    """A random one to hand over: 20 letters and digits (98 bits), none of which looks like another."""
    groups = ("".join(secrets.choice(CLEAR) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)


def fits(password: str, kept: str | None) -> bool:
    """Whether this is the password; `kept` None: there is no such user, which takes just as long."""
    try:
        return HASHER.verify(_hash(kept or _nobody()), _normal(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return HASHER.check_needs_rehash(_hash(kept))


def is_temporary(kept: str) -> bool:
    return kept.startswith(TEMPORARY)


def _hash(kept: str) -> str:
    return kept.removeprefix(TEMPORARY)


def _normal(password: str) -> str:
    """The same password from every keyboard and input method. What is too long is cut: it fits nothing."""
    plain = unicodedata.normalize("NFKC", password[: LONGEST + 1])
    return plain.encode("utf-8", "backslashreplace").decode()


@cache
def _nobody() -> str:
    return HASHER.hash("nobody has this password")


def _fault(plain: str, login: str) -> str:
    """What is wrong with a password; empty: nothing."""
    if len(plain) < SHORTEST:
        return f"密码有 {len(plain)} 个字，太短"
    if len(plain) > LONGEST:
        return "密码太长"
    folded = plain.casefold()
    if login and login in folded and len(folded) - len(login) < SHORTEST:
        return "密码里有登录名"
    repeats = folded in (folded + folded)[1:-1]
    if repeats or len(set(folded)) < FEWEST_DIFFERENT or any(folded in run for run in RUNS):
        return "密码是重复或连续的字，一猜就中"
    words = set(re.findall(r"[^\W\d_]+", folded))
    if words and words <= COMMON and len(re.sub(r"[\W_]", "", folded)) < SHORTEST + 8:
        return "密码是常见的词加数字，一猜就中"
    return ""
