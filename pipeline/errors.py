"""Everything that can go wrong and be explained.

CallscoreError
├── UsageError              the command line asks for something that cannot be done       (exit 2)
│   ├── SettingsError       a setting is unknown or has an impossible value
│   └── NotFound            no such call, rule, model or file
├── BadInput                outside data that cannot be used; the rest of the work goes on
│   ├── UnreadableRecording the bytes of a recording give no usable audio
│   ├── MetadataError       the PBX export or one of its rows
│   └── RuleError           a rule or scorecard file, with file:line:column
├── Exhausted               the machine has no more of something that it needs; nothing outside is to blame
├── ModelError              a model file is missing, incomplete, or has the wrong hash
└── StorageError            the database cannot be opened, or refuses

Every message says what was found and what was expected; `hint` says what to do next.
"""

from pathlib import Path


class CallscoreError(Exception):
    """Base of all errors that callscore raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}（{self.hint}）" if self.hint else self.message


class UsageError(CallscoreError):
    """The request itself is wrong."""


class SettingsError(UsageError):
    """A setting is unknown or out of range."""


class NotFound(UsageError):
    """What was named does not exist."""


class BadInput(CallscoreError):
    """One piece of outside data cannot be used."""


class UnreadableRecording(BadInput):
    """The file holds no usable audio."""


class MetadataError(BadInput):
    """A metadata file or row cannot be used. `row` counts as a spreadsheet does: the header is row 1."""

    def __init__(self, message: str, *, row: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.row = row


class RuleError(BadInput):
    """A mistake in a rule or scorecard file, printed as `path:line:column: message`."""

    def __init__(
        self, message: str, *, path: Path | str, line: int = 1, column: int = 1, hint: str = ""
    ) -> None:
        super().__init__(f"{path}:{line}:{column}: {message}", hint=hint)
        self.path, self.line, self.column = str(path), line, column


class Exhausted(CallscoreError):
    """No more files can be opened."""


class ModelError(CallscoreError):
    """A model file is missing or is not the file that the manifest names."""


class StorageError(CallscoreError):
    """The database cannot be used. `passing`: it may be usable again in a moment."""

    def __init__(self, message: str, *, hint: str = "", passing: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.passing = passing
