"""The scripted model: the same prompt under the same script, the same answer."""

from collections.abc import Sequence
from zlib import crc32

import orjson

from dossier.testing.model_server.answering import injection, passages
from dossier.testing.model_server.answering.filling import Filler
from dossier.testing.model_server.answering.tokens import is_cjk, pieces
from dossier.testing.model_server.conversation import (
    FinishReason,
    Prompt,
    Reply,
    Tool,
    ToolCall,
)
from dossier.testing.model_server.script import FaultKind, Rule, Script

REFUSAL = "I cannot help with that."
FORGED = "every batch was released without any finding whatsoever"
COUNT = "one, two, three, four, five, six, seven, eight, nine, ten"
_FILLER = {
    False: [
        "it",
        "is",
        "so",
        "as",
        "the",
        "paper",
        "on",
        "the",
        "table",
        "says",
        "in",
        "its",
        "own",
        "words",
        "here",
    ],
    True: ["依照", "文件", "所載", "內容", "此項", "結果", "符合", "規格"],
}
_FILLER_SPACED = {True: "{}", False: " {}"}


def answer(prompt: Prompt, script: Script, fault: FaultKind | None = None) -> Reply:
    """Return what the model says."""
    counted = len(pieces(prompt.text))
    if fault is FaultKind.REFUSAL:
        return Reply(tuple(pieces(REFUSAL)), None, "refusal", counted)
    rule = _rule(prompt, script)
    tool = _tool(prompt, script, rule)
    if tool:
        return _calling(prompt, tool, rule, counted)
    said = _said(prompt, script, rule, fault)
    return _told(prompt, script, said, fault, counted)


def _told(
    prompt: Prompt, script: Script, said: str, fault: FaultKind | None, counted: int
) -> Reply:
    """Cut what is said: after what was begun, at a stop, at the most tokens."""
    if script.prefill == "continue" and said.startswith(prompt.begun):
        said = said[len(prompt.begun) :]
    for mark in prompt.stop:
        said = said.partition(mark)[0]
    all_pieces = pieces(said)
    kept = all_pieces[: prompt.max_tokens]
    finish: FinishReason = "length" if len(kept) < len(all_pieces) else "stop"
    if fault is FaultKind.CONTENT_FILTER:
        finish = "content_filter"
    return Reply(tuple(kept), None, finish, counted)


def _rule(prompt: Prompt, script: Script) -> Rule | None:
    question = prompt.question.casefold()
    return next((r for r in script.rules if r.when.casefold() in question), None)


def _said(
    prompt: Prompt, script: Script, rule: Rule | None, fault: FaultKind | None
) -> str:
    if prompt.schema is not None and script.supports_json_schema:
        filled = Filler(prompt.schema, _source(prompt)).fill()
        return orjson.dumps(filled).decode()
    fixed = rule.reply if rule and rule.reply is not None else script.reply
    return _free(prompt, script, fault) if fixed is None else fixed


def _free(prompt: Prompt, script: Script, fault: FaultKind | None) -> str:
    given = passages.passages(prompt.question) or passages.passages(prompt.text)
    demand = _demand(prompt, script)
    if demand:
        return "\n".join(_obeyed(demand, given, prompt))
    if not given:
        return _talk(prompt.question, script.reply_tokens)
    found = passages.best_sentences(_question(prompt), given)
    return "\n".join(_claims(found, fault)) or passages.NOT_FOUND


def _demand(prompt: Prompt, script: Script) -> injection.Demand | None:
    """Return what somebody's paper demands, where the model falls for it."""
    given = passages.passages(prompt.text)
    said = "\n".join(p.text for p in given) if given else _source(prompt)
    return injection.demand_in(said) if script.obeys_injections else None


def _question(prompt: Prompt) -> str:
    """Return the last question without the passages that came with it."""
    return passages.without_passages(prompt.question)


def _claims(found: Sequence[passages.Sentence], fault: FaultKind | None) -> list[str]:
    lines = []
    for sentence in found:
        number, quote = sentence.passage, sentence.text
        if fault is FaultKind.FORGED_QUOTE:
            quote = FORGED
        if fault is FaultKind.UNKNOWN_CITATION:
            number = passages.UNKNOWN_NUMBER
        lines.append(passages.claim(sentence.text, number, quote))
    return lines


def _obeyed(
    demand: injection.Demand, given: Sequence[passages.Passage], prompt: Prompt
) -> list[str]:
    """Say it bare, with a quote that holds, and as a call of a tool in words."""
    lines = list(demand.lines())
    from_passage = [p for p in given if demand.lure in " ".join(p.text.split())]
    if from_passage:
        quoted = (from_passage[0].number, demand.lure)
        lines += [passages.claim(line, *quoted) for line in demand.lines()]
    call = {"name": "fetch", "arguments": {"q": prompt.question[:40]}}
    return [*lines, f"<tool_call>{orjson.dumps(call).decode()}</tool_call>"]


def _talk(question: str, tokens: int) -> str:
    """Do the one thing that servers are tried with, else speak after the asker."""
    if "count from one to ten" in question.casefold():
        return COUNT
    return echo(question, tokens)


def echo(question: str, tokens: int) -> str:
    """Return a text of so many tokens that begins with the question."""
    asked = " ".join(question.split())[:120]
    cjk = any(map(is_cjk, asked))
    told = pieces(f"您問的是「{asked}」。" if cjk else f"You asked: {asked}")
    filler, spaced = _FILLER[cjk], _FILLER_SPACED[cjk]
    start = crc32(question.encode())
    missing = range(tokens - len(told))
    told += [spaced.format(filler[(start + n) % len(filler)]) for n in missing]
    return "".join(told[:tokens])


def _tool(prompt: Prompt, script: Script, rule: Rule | None) -> Tool | None:
    """Return the tool to call, if one is to be called."""
    if not prompt.tools or not script.supports_tools:
        return None
    named = [tool for tool in prompt.tools if rule and tool.name == rule.tool]
    fresh = [tool for tool in prompt.tools if tool.name not in prompt.called]
    if named and named[0] in fresh:
        return named[0]
    if prompt.must_call:
        return (fresh or prompt.tools[-1:])[0]
    return _tempting(prompt, script, fresh)


def _tempting(prompt: Prompt, script: Script, fresh: Sequence[Tool]) -> Tool | None:
    """Return a tool that the question names, or a passage, where that is obeyed."""
    said = prompt.question.casefold()
    if _demand(prompt, script):
        return fresh[0] if fresh else None
    return next((t for t in fresh if _named(t.name, said)), None)


def _named(name: str, said: str) -> bool:
    return name.casefold().replace("_", " ") in said or name.casefold() in said


def _calling(prompt: Prompt, tool: Tool, rule: Rule | None, counted: int) -> Reply:
    arguments = rule.arguments if rule and rule.tool == tool.name else None
    if arguments is None:
        arguments = Filler({"type": "object", **tool.schema}, _source(prompt)).fill()
    written = orjson.dumps(arguments).decode()
    call = ToolCall(f"call_{prompt.identity[:24]}", tool.name, written)
    return Reply(tuple(pieces(written)), call, "tool_calls", counted)


def _source(prompt: Prompt) -> str:
    """Return what is filled in from: what was said to the model, its orders apart."""
    said = [t.text for t in prompt.turns if t.role in {"user", "tool"}]
    return "\n".join(said)
