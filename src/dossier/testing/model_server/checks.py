"""Calls that a server refuses by its own rules."""

from dossier.testing.model_server.conversation import Prompt, Reply
from dossier.testing.model_server.exchange import Exchange
from dossier.testing.model_server.failing import RefusedError
from dossier.testing.model_server.wires import anthropic
from dossier.testing.model_server.wires.wire import ANTHROPIC


def check_key(exchange: Exchange) -> None:
    """Refuse a wrong key."""
    if exchange.script.api_key not in (None, exchange.call.key):
        message = "Incorrect API key provided."
        raise RefusedError(
            outcome="unauthorised", status=401, message=message, code="invalid_api_key"
        )


def check_model(exchange: Exchange, model: str) -> None:
    """Refuse a model that is not served."""
    script = exchange.script
    if not script.any_model and model not in script.models:
        message = f"The model {model!r} does not exist."
        raise RefusedError(
            outcome="unknown_model", status=404, message=message, code="model_not_found"
        )


def check_prompt(exchange: Exchange, prompt: Prompt) -> None:
    """Refuse what the scripted model does not support."""
    check_model(exchange, prompt.model)
    script = exchange.script
    if prompt.tools and not script.supports_tools:
        message = "This model does not support tools."
        raise RefusedError(outcome="unsupported", status=400, message=message)
    if prompt.begun and script.prefill == "refuse":
        message = "This model does not support assistant message prefill."
        raise RefusedError(outcome="unsupported", status=400, message=message)
    if exchange.wire is ANTHROPIC:
        anthropic.check_begun(prompt)


def check_window(exchange: Exchange, reply: Reply) -> None:
    """Refuse a prompt that the window does not hold."""
    window = exchange.script.window_tokens
    if window is not None and reply.input_tokens > window:
        message = (
            f"prompt is too long: {reply.input_tokens} tokens > {window} maximum"
            " context length"
        )
        raise RefusedError(
            outcome="context_too_long",
            status=400,
            message=message,
            code="context_length_exceeded",
        )
