"""Turns a job's stored arguments back into what its task takes."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dossier.jobs.exceptions import TaskUnknownError
from dossier.jobs.ports import Task, TaskContext


def call_task(
    task: Task, context: TaskContext, args: Mapping[str, Any]
) -> Awaitable[None]:
    """Call a task by the names and types that it declares."""
    declared = _declared(task.run)
    try:
        bound = {
            name: declared[name].validate_python(value) for name, value in args.items()
        }
        inspect.signature(task.run).bind(context, **bound)
    except (KeyError, TypeError, ValidationError) as exc:
        message = f"The task does not take these arguments: {exc}"
        raise TaskUnknownError(message) from exc
    return task.run(context, **bound)


@lru_cache(maxsize=256)
def _declared(run: Callable[..., Awaitable[None]]) -> dict[str, TypeAdapter[Any]]:
    """Return the types of a task's arguments; the context and its ports left out."""
    _context, *arguments = inspect.signature(run, eval_str=True).parameters.values()
    ports = run.keywords if isinstance(run, partial) else {}
    return {
        each.name: TypeAdapter(each.annotation)
        for each in arguments
        if each.name not in ports
    }
