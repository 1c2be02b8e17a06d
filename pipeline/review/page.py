"""`Page`: one address of the application, with the policy that guards it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response

from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import MANY, Action, Thing


class Access(StrEnum):
    """Pages that are about no action of the policy."""

    EVERYBODY = "everybody"  # nobody need be logged in
    LOGGED_IN = "logged_in"  # about oneself


EVERYBODY, LOGGED_IN = Access.EVERYBODY, Access.LOGGED_IN


def many(visit: Visit) -> Thing:
    """For pages of many things, which show only those in the person's scope."""
    return MANY


def one(visit: Visit) -> Thing:
    """For pages about the house as a whole."""
    return Thing()


LARGEST_FORM = 64 * 1024
"""Bytes of a form, as long as its page does not take more."""


class Lane(StrEnum):
    """Pages that are answered beside each other; what waits in one lane does not hold another up."""

    DESK = "desk"  # what inspectors do all day: quick, and the more at once the longer each takes
    LOGIN = "login"  # a password takes every core and 64 MiB
    OTHER = "other"  # may take seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`action` and `thing` go to the one function that decides; without an action `access` says whose page it
    is, and a page with neither is refused when it is made."""

    path: str
    answer: Callable[[Visit], Response]
    method: str = "GET"
    action: Action | None = None
    thing: Callable[[Visit], Thing] = many
    access: Access | None = None

    largest_form: int = LARGEST_FORM
    lane: Lane = Lane.OTHER

    def __post_init__(self) -> None:
        if (self.action is None) is (self.access is None):
            raise ValueError(f"{self.method} {self.path}: expected either an action or an access")


def posted(
    path: str, answer: Callable[[Visit], Response], action: Action, thing: Callable[[Visit], Thing]
) -> Page:
    """A page that does something to the thing of its address."""
    return Page(path=path, method="POST", answer=answer, action=action, thing=thing)
