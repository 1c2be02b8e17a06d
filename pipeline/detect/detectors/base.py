"""What every detector is: parameters that pydantic checks, the rules it builds on, and `detect`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from pipeline.detect.scene import Scene
from pipeline.findings import Finding
from pipeline.ruleset import Rule


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One text, or a list of them."""


class Parameters(BaseModel):
    """A detector's own keys of a rule file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def needs(self) -> tuple[str, ...]:
        """Ids of the rules whose findings this one builds on."""
        return ()

    def needs_one_of(self, *keys: str) -> Self:
        """These parameters, for a validator; a fault where a rule file gives none of the keys."""
        if all(getattr(self, key) is None for key in keys):
            raise at_least_one(keys)
        return self


def at_least_one(keys: Iterable[str]) -> PydanticCustomError:
    """The fault where a rule file gives none of the keys, for a validator."""
    return PydanticCustomError(
        "none_of", "{keys} 至少写一个", {"keys": "、".join(f"`{key}`" for key in keys)}
    )


class Detect(Protocol):
    """Answers for one call: `present` findings, or exactly one `absent` or `cannot_tell`."""

    def __call__(self, rule: Rule, scene: Scene, /) -> tuple[Finding, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One way to look at a call. `weighs_exceptions`: it asks for exceptions in words by itself, because
    they change what it chooses."""

    parameters: type[Parameters]
    detect: Detect
    weighs_exceptions: bool = False
