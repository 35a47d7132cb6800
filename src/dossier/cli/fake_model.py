"""`dossier fake-model`: a scripted model server, for demonstrations and tests."""

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from pydantic import ValidationError

if TYPE_CHECKING:
    from dossier.testing.model_server import Script, ScriptedModelServer

app = typer.Typer()


Delay = Annotated[float | None, typer.Option(help="Between two tokens.")]
FirstToken = Annotated[
    float | None, typer.Option(help="From the question to the first token.")
]
Tokens = Annotated[
    int | None, typer.Option(help="Length of an answer that quotes no passage.")
]
Fail = Annotated[
    list[str] | None,
    typer.Option(
        help="KIND, KIND:TIMES or KIND@TOKENS, such as rate_limited:2, cut@5, refusal; "
        "may be given several times. Kinds: docs/chat.md."
    ),
]
ScriptFile = Annotated[
    Path | None, typer.Option(help="All knobs as a JSON file.", dir_okay=False)
]
Obeys = Annotated[
    bool, typer.Option("--obeys-injections", help="Do what a passage demands.")
]
EnglishOnly = Annotated[
    bool, typer.Option("--english-only", help="Embeddings see no Chinese.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Tell the address as JSON.")]


@app.command("fake-model")
def fake_model(  # noqa: PLR0913 - each is a flag
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 0,
    *,
    delay_ms_per_token: Delay = None,
    first_token_ms: FirstToken = None,
    tokens: Tokens = None,
    fail: Fail = None,
    script: ScriptFile = None,
    obeys_injections: Obeys = False,
    english_only: EnglishOnly = False,
    as_json: AsJson = False,
) -> None:
    """Serve OpenAI's and Anthropic's wire by a script; no model, no key, no network."""
    given = {
        "delay_per_token_ms": delay_ms_per_token,
        "first_token_delay_ms": first_token_ms,
        "reply_tokens": tokens,
        "obeys_injections": obeys_injections or None,
        "english_only": english_only or None,
    }
    knobs = {name: value for name, value in given.items() if value is not None}
    chosen = _chosen(script, knobs, fail or [])
    _run(_serve(chosen, host, port, as_json=as_json))


def _chosen(path: Path | None, knobs: dict[str, Any], fail: list[str]) -> "Script":
    from dossier.testing.model_server import Fault, Script  # noqa: PLC0415

    try:
        content = path.read_bytes() if path else b"{}"
        chosen = Script.model_validate_json(content).changed(knobs)
        faults = tuple(Fault.parse(text) for text in fail)
    except (OSError, ValidationError) as exc:
        raise typer.BadParameter(_told(exc)) from exc
    return chosen.changed({"faults": (*chosen.faults, *faults)})


def _told(exc: OSError | ValidationError) -> str:
    if isinstance(exc, OSError):
        return str(exc)
    return "; ".join(
        f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()
    )


def _run(serving: Any) -> None:
    """Run on the faster loop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 - no wheel of it for Windows
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


async def _serve(chosen: "Script", host: str, port: int, *, as_json: bool) -> None:
    from dossier.testing.model_server import ScriptedModelServer  # noqa: PLC0415

    server = ScriptedModelServer(chosen, host=host, port=port)
    try:
        await server.start()
    except OSError as exc:
        typer.echo(f"Port {port} of {host} cannot be used: {exc.strerror}.", err=True)
        raise typer.Exit(2) from exc
    try:
        typer.echo(_address(server) if as_json else server.base_url)
        await _until_told_to_stop()
    finally:
        await server.close()


def _address(server: "ScriptedModelServer") -> str:
    shown = {
        "base_url": server.base_url,
        "root_url": server.root_url,
        "pid": os.getpid(),
    }
    return orjson.dumps(shown).decode()


async def _until_told_to_stop() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
