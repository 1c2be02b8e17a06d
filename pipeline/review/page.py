"""`Page`: one address of the application, with the policy that guards it."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import Action, Thing

NOTHING = Thing()


def about_nothing(visit: Visit) -> Thing:
    """For pages about no object in particular."""
    return NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`action` and `thing` go to the one function that decides. `open_to_all` says that nobody need be logged
    in; a page with neither is refused when the application is made."""

    path: str
    answer: Callable[[Visit], Response]
    method: str = "GET"
    action: Action | None = None
    thing: Callable[[Visit], Thing] = about_nothing
    open_to_all: bool = False

    def __post_init__(self) -> None:
        if (self.action is None) is not self.open_to_all:
            raise ValueError(f"{self.method} {self.path}: expected an action, or open_to_all")
