"""What may stand in the files of the rules folder: checked by pydantic once, here."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.ruleset import Applies, Window
from pipeline.timeline import Direction


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Several = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One text, or a list of them."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowFile(_File):
    first_seconds: float | None = Field(default=None, gt=0)
    last_seconds: float | None = Field(default=None, gt=0)
    first_turns: int | None = Field(default=None, ge=1)
    last_turns: int | None = Field(default=None, ge=1)
    first_percent: float | None = Field(default=None, gt=0, le=100)
    last_percent: float | None = Field(default=None, gt=0, le=100)

    def value(self) -> Window:
        return Window(**self.model_dump())


class AppliesFile(_File):
    direction: Annotated[tuple[Literal["inbound", "outbound"], ...], BeforeValidator(_as_list)] = ()
    business: Several = ()

    def value(self) -> Applies:
        return Applies(directions=tuple(map(Direction, self.direction)), businesses=self.business)


class CaseFile(_File):
    """One of `hit` and `miss`; the rest describes the call around the words."""

    hit: str | None = None
    miss: str | None = None
    direction: Literal["inbound", "outbound"] | None = None
    duration: float | None = Field(default=None, gt=0)
    answered: float | None = Field(default=None, ge=0)
    business: str | None = None

    @property
    def text(self) -> str:
        """The call as `pipeline.detect.cases` reads it, with a `# key value` line for each extra key."""
        extras = (f"# {key} {value}" for key, value in self._extras() if value is not None)
        return "\n".join((*extras, (self.hit if self.hit is not None else self.miss or "").strip()))

    def _extras(self) -> tuple[tuple[str, object], ...]:
        return (
            ("direction", self.direction),
            ("duration", self.duration),
            ("answered", self.answered),
            ("business", self.business),
        )


class RuleFile(_File):
    """The keys that every rule has; the others belong to its detector."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
    title: str = Field(min_length=1)
    label: str = Field(min_length=1)
    category: str | None = None
    why: str = Field(min_length=1)
    severity: Literal["minor", "major", "fatal"] = "major"
    status: Literal["active", "draft"] = "active"
    detector: str
    role: Literal["agent", "customer", "any"] = "any"
    window: WindowFile = WindowFile()
    applies: AppliesFile = AppliesFile()
    cases: tuple[CaseFile, ...] = ()


class GuardFile(_File):
    """A shared list of exceptions that rules name in `guards`."""

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    why: str = ""
    patterns: tuple[str, ...] = Field(min_length=1)


class LevelFile(_File):
    title: str
    points: float
    text: str = ""
    when: Any = None


class ItemFile(_File):
    id: str
    title: str
    points: float
    fill: Literal["auto", "assist", "manual"]
    applicable: Any = None
    rules: tuple[str, ...] = ()
    note: str = ""
    levels: tuple[LevelFile, ...]


class SectionFile(_File):
    title: str
    items: tuple[ItemFile, ...] = Field(min_length=1)


class TemplateFile(_File):
    id: str
    title: str
    version: int = Field(ge=1)
    origin: str = ""
    applies: AppliesFile = AppliesFile()
    sections: tuple[SectionFile, ...] = Field(min_length=1)
