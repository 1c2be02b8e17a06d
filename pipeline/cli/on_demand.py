"""Commands that are imported when they are asked for: no command waits for what only others need."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer._click.core import Context
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup

from pipeline.cli.frame import Command, Group
from pipeline.cli.summaries import summary


class OnDemand(MutableMapping[str, Any]):
    """Commands by name. `modules`: the module of each, which has a `register` for its commands, or is a group
    of commands, its `app`."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _command(name, self._modules[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._modules.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._modules[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def _command(name: str, path: str) -> Any:
    module = import_module(path)
    if not hasattr(module, "register"):
        return _group(_named(name, module.app)).commands[name]
    registered = typer.Typer()
    module.register(registered)
    return _group(registered).commands[name]


def _group(registered: typer.Typer) -> TyperGroup:
    """Its commands and groups, with help in Chinese."""
    for command in registered.registered_commands:
        command.cls = Command
    for group in registered.registered_groups:
        if group.typer_instance:
            group.cls = Group
            _group(group.typer_instance)
    registered.info.cls = Group
    return typer.main.get_group(registered)


def _named(name: str, group: typer.Typer) -> typer.Typer:
    outer = typer.Typer()
    outer.add_typer(group, name=name)
    return outer


def group_of(modules: Mapping[str, str]) -> type[Group]:
    """The class of a group that has these commands."""

    class Known(Group):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = OnDemand(modules)

        def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
            """With a line for each command, and none of them."""
            kept = self.commands
            self.commands = {name: Command(name, help=summary(name, path)) for name, path in modules.items()}
            super().format_help(ctx, formatter)
            self.commands = kept

    return Known
