"""Turns a job's stored arguments back into what its task takes."""

import inspect
from collections.abc import Awaitable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dossier.jobs.exceptions import TaskUnknownError
from dossier.jobs.ports import Task, TaskContext


def call_task(
    task: Task, context: TaskContext, args: Mapping[str, Any]
) -> Awaitable[None]:
    """Call a task by the names and types that it declares."""
    parameters = inspect.signature(task.run, eval_str=True).parameters
    try:
        bound = {
            name: TypeAdapter(parameters[name].annotation).validate_python(value)
            for name, value in args.items()
        }
        return task.run(context, **bound)
    except (KeyError, ValidationError) as exc:
        message = f"The task does not take these arguments: {exc}"
        raise TaskUnknownError(message) from exc
