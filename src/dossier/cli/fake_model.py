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
    from dossier.testing.model_server.script import Script

app = typer.Typer()


Delay = Annotated[float | None, typer.Option(help="Between two tokens.")]
FirstToken = Annotated[
    float | None, typer.Option(help="From the question to the first token.")
]
AnswerLength = Annotated[
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
AsJson = Annotated[bool, typer.Option("--json", help="Print the address as JSON.")]


@app.command("fake-model")
def fake_model(  # noqa: PLR0913 - each is a flag
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 0,
    *,
    delay_ms_per_token: Delay = None,
    first_token_ms: FirstToken = None,
    tokens: AnswerLength = None,
    fail: Fail = None,
    script: ScriptFile = None,
    obeys_injections: Obeys = False,
    english_only: EnglishOnly = False,
    as_json: AsJson = False,
) -> None:
    """Serve the APIs of OpenAI and Anthropic by a script, without model or network."""
    given = {
        "delay_per_token_ms": delay_ms_per_token,
        "first_token_delay_ms": first_token_ms,
        "reply_tokens": tokens,
        "obeys_injections": obeys_injections or None,
        "english_only": english_only or None,
    }
    knobs = {name: value for name, value in given.items() if value is not None}
    serving = _serve(
        _read_script(script, knobs, fail or []), host, port, as_json=as_json
    )
    try:
        import uvloop  # noqa: PLC0415 - the faster loop; no wheel of it for Windows
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


def _read_script(path: Path | None, knobs: dict[str, Any], fail: list[str]) -> "Script":
    """Return the script of a file, changed by the options of the command line."""
    from dossier.testing.model_server.script import Script, ScriptedFault  # noqa: PLC0415

    try:
        content = path.read_bytes() if path else b"{}"
        script = Script.model_validate_json(content).changed(knobs)
        faults = tuple(ScriptedFault.parse(text) for text in fail)
    except OSError as exc:
        raise typer.BadParameter(str(exc)) from exc
    except ValidationError as exc:
        message = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
            for error in exc.errors()
        )
        raise typer.BadParameter(message) from exc
    return script.changed({"faults": (*script.faults, *faults)})


async def _serve(script: "Script", host: str, port: int, *, as_json: bool) -> None:
    from dossier.testing.model_server.server import ScriptedModelServer  # noqa: PLC0415

    server = ScriptedModelServer(script, host=host, port=port)
    try:
        await server.start()
    except OSError as exc:
        typer.echo(f"Port {port} of {host} cannot be used: {exc.strerror}.", err=True)
        raise typer.Exit(2) from exc
    try:
        address = {
            "base_url": server.base_url,
            "root_url": server.root_url,
            "pid": os.getpid(),
        }
        typer.echo(orjson.dumps(address) if as_json else server.base_url)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()
    finally:
        await server.close()
