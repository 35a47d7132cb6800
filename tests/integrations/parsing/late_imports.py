"""Prints the modules that what readers load imports only when it is called.

Run as a program: a process of tests has loaded too much to show them.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType

from dossier.integrations.parsing.child import import_early
from dossier.integrations.parsing.documents import modules_for
from dossier.integrations.parsing.kinds import FileKind


def imported_in_functions(module: ModuleType) -> Iterator[str]:
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for function in (each for each in ast.walk(tree) if isinstance(each, functions)):
        for each in ast.walk(function):
            if isinstance(each, ast.Import):
                yield from (alias.name for alias in each.names)
            elif isinstance(each, ast.ImportFrom):
                dots = "." * each.level
                name = dots + (each.module or "")
                yield resolve_name(name, module.__package__) if dots else name


if __name__ == "__main__":
    import_early()
    for kind in FileKind:
        for name in modules_for(kind):
            importlib.import_module(name)
    loaded = [
        each
        for each in sys.modules.values()
        if str(getattr(each, "__file__", "")).endswith(".py")
    ]
    names = {name for module in loaded for name in imported_in_functions(module)}
    print(*sorted(names - set(sys.modules)))  # noqa: T201
