"""What lint has to say: a notice with its place, an error or a warning."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import RuleError
from pipeline.scope import Source


class Level(StrEnum):
    """An error keeps a rule from doing its work; a warning is for the owner to weigh; one that was weighed
    and found to be as it should is accepted."""

    ERROR = "error"
    WARNING = "warning"
    ACCEPTED = "accepted"

    @property
    def chinese(self) -> str:
        return {"error": "错误", "warning": "警告", "accepted": "已说明"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`check` names the check that speaks; the message says what was found and what was expected;
    `reason`, why its owner accepts it."""

    check: str
    level: Level
    source: Source
    message: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Notices are told by place."""
        return self.source.path, self.source.line, self.source.column, self.message


def notice_of(fault: RuleError, check: str = "file") -> Notice:
    """A fault of a file as an error."""
    source = Source(path=fault.path, line=fault.line, column=fault.column)
    message = fault.message.removeprefix(f"{source}: ")
    return Notice(check=check, level=Level.ERROR, source=source, message=message)
