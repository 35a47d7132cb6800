"""The scripted model: the same prompt under the same script gives the same reply.

It answers from the passages of the prompt with quotes, calls tools, fills schemas, and
follows instructions that are hidden in passages, where the script asks for that.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from zlib import crc32

import orjson

from dossier.testing.model_server.conversation import (
    Reply,
    ScriptedFinish,
    ScriptedPrompt,
    Tool,
    ToolCall,
)
from dossier.testing.model_server.filling import Filler
from dossier.testing.model_server.script import FaultKind, Rule, Script
from dossier.testing.model_server.tokens import content_words, is_cjk, pieces, words

REFUSAL = "I cannot help with that."
FORGED = "every batch was released without any finding whatsoever"
COUNT = "one, two, three, four, five, six, seven, eight, nine, ten"
_FILLER = {
    False: [
        *("it", "is", "so", "as", "the", "paper", "on", "the", "table", "says"),
        *("in", "its", "own", "words", "here"),
    ],
    True: ["依照", "文件", "所載", "內容", "此項", "結果", "符合", "規格"],
}
_FILLER_SPACED = {True: "{}", False: " {}"}
NOT_FOUND = "⟦none⟧"
"""The reply where no passage answers the question."""
UNKNOWN_NUMBER = 97
_MAX_SENTENCES = 3
_MIN_SHARE = 0.6
"""Share of the best sentence's score that a further one must reach."""
_MAX_CHARACTERS = 300
_TAG = re.compile(
    r"<(?P<tag>(?:passage|document|source)[\w-]*)\b[^>]*?"
    r"\b(?:n|number|id|index)\s*=\s*[\"']?(?P<number>\d+)[^>]*>"
    r"(?P<text>.*?)</(?P=tag)\s*>",
    re.DOTALL | re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"[^\n。\uff01\uff1f!?;\uff1b]+?(?:[。\uff01\uff1f!?;\uff1b]+|\.(?=\s|$)|(?=\n)|$)"
)
_MARKS = "⟦⟧"
_MIN_LETTERS = 5
"""Letters that a quoted sentence needs; Chinese characters count double."""
_LABEL = re.compile(r"^\s*question\s*:", re.IGNORECASE)
_INSTRUCTION = re.compile(
    r"(?:ignore|disregard|forget|override)\b[^\n.]{0,60}"
    r"\b(?:instruction|prompt|rule|context|above)s?"
    r"|(?:忽略|無視|无视|忘記|忘记|不要理會)[^\n。]{0,20}(?:指示|指令|規則|规则|提示|以上|上述)"
    r"|(?:system|assistant)\s*(?:prompt|message)?\s*:\s*",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“「『`]([^\"”」』`\n]{2,300})[\"”」』`]")
_LINK = re.compile(r"(?:https?://|www\.)[^\s)>\]\"'\uff0c。]+")
_MAX_INSTRUCTION = 600


@dataclass(frozen=True, slots=True)
class NumberedPassage:
    """A passage of the prompt and the number by which it is cited."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class QuotableSentence:
    """A sentence of a passage."""

    passage: int
    text: str


def passages_in(prompt: str) -> list[NumberedPassage]:
    """Return the numbered passages of a prompt, in their order."""
    return [
        NumberedPassage(int(found["number"]), found["text"].strip())
        for found in _TAG.finditer(prompt)
    ]


def without_passages(text: str) -> str:
    """Return the text of a message outside of its passages."""
    return _LABEL.sub("", _TAG.sub("", text))


def claim(sentence: str, passage: int, quote: str) -> str:
    """Return one line of a grounded answer."""
    return f"{sentence.strip()} ⟦{passage}|{quote.strip()}⟧"


def best_sentences(
    question: str, given: Sequence[NumberedPassage]
) -> list[QuotableSentence]:
    """Return one to three sentences that share most with the question, or none."""
    sentences: list[QuotableSentence] = []
    seen = set()
    for passage in given:
        for found in _SENTENCE.findall(passage.text):
            text = found.strip()[:_MAX_CHARACTERS]
            letters = sum(1 + is_cjk(each) for each in text if each.isalnum())
            is_short = letters < _MIN_LETTERS
            if not (text in seen or is_short or set(text) & set(_MARKS)):
                seen.add(text)
                sentences.append(QuotableSentence(passage.number, text))
    # A word weighs more, the fewer sentences hold it.
    counts = Counter(word for each in sentences for word in set(words(each.text)))
    weights = {word: log(1 + len(sentences) / n) for word, n in counts.items()}
    asked = content_words(question)
    scored = [
        (sum(weights[word] for word in asked & set(words(sentence.text))), place)
        for place, sentence in enumerate(sentences)
    ]
    scored.sort(key=lambda row: (-row[0], row[1]))
    best = scored[0][0] if scored else 0
    if best <= 0:
        return []
    kept = [
        place for score, place in scored[:_MAX_SENTENCES] if score >= best * _MIN_SHARE
    ]
    return [sentences[place] for place in kept]


@dataclass(frozen=True, slots=True)
class HiddenInstruction:
    """An instruction in a passage, as a prompt injection holds it."""

    trigger: str
    """The words that introduce it, verbatim, so that a quote of them is true."""
    text: str
    links: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the lines of a model that follows the instruction."""
        yield from _QUOTED.findall(self.text) or [self.text]
        for link in self.links:
            yield f"See [here]({link}) ![]({link})"


def instruction_in(text: str) -> HiddenInstruction | None:
    """Return the first hidden instruction of a text, or `None`."""
    found = _INSTRUCTION.search(text)
    if found is None:
        return None
    rest = " ".join(text[found.end() : found.end() + _MAX_INSTRUCTION].split()).lstrip(
        " .,:;\uff0c。\uff1a"
    )
    links = tuple(dict.fromkeys(_LINK.findall(rest)))
    return HiddenInstruction(" ".join(found[0].split()), rest, links)


def answer(
    prompt: ScriptedPrompt, script: Script, fault: FaultKind | None = None
) -> Reply:
    """Return the reply of the model."""
    counted = len(pieces(prompt.text))
    if fault is FaultKind.REFUSAL:
        return Reply(tuple(pieces(REFUSAL)), None, "refusal", counted)
    question = prompt.question.casefold()
    rule = next((r for r in script.rules if r.when.casefold() in question), None)
    tool = _tool_to_call(prompt, script, rule)
    if tool:
        return _tool_reply(prompt, tool, rule, counted)
    if prompt.schema is not None and script.supports_json_schema:
        filled = Filler(prompt.schema, _source(prompt)).fill()
        text = orjson.dumps(filled).decode()
    elif rule and rule.reply is not None:
        text = rule.reply
    elif script.reply is not None:
        text = script.reply
    else:
        text = _free_reply(prompt, script, fault)
    if script.prefill == "continue" and text.startswith(prompt.begun):
        text = text[len(prompt.begun) :]
    for mark in prompt.stop:
        text = text.partition(mark)[0]
    all_pieces = pieces(text)
    kept = all_pieces[: prompt.max_tokens]
    finish: ScriptedFinish = "length" if len(kept) < len(all_pieces) else "stop"
    if fault is FaultKind.CONTENT_FILTER:
        finish = "content_filter"
    return Reply(tuple(kept), None, finish, counted)


def _free_reply(prompt: ScriptedPrompt, script: Script, fault: FaultKind | None) -> str:
    given = passages_in(prompt.question) or passages_in(prompt.text)
    instruction = _followed_instruction(prompt, script)
    if instruction:
        # Bare, with a quote that is true, and as a tool call in words.
        lines = list(instruction.lines())
        sources = [p for p in given if instruction.trigger in " ".join(p.text.split())]
        if sources:
            quoted = (sources[0].number, instruction.trigger)
            lines += [claim(line, *quoted) for line in instruction.lines()]
        call = {"name": "fetch", "arguments": {"q": prompt.question[:40]}}
        lines.append(f"<tool_call>{orjson.dumps(call).decode()}</tool_call>")
        return "\\n".join(lines)
    if not given:
        # One question that servers are tested with; all else is echoed.
        is_count = "count from one to ten" in prompt.question.casefold()
        return COUNT if is_count else echo(prompt.question, script.reply_tokens)
    lines = []
    for sentence in best_sentences(without_passages(prompt.question), given):
        number, quote = sentence.passage, sentence.text
        if fault is FaultKind.FORGED_QUOTE:
            quote = FORGED
        if fault is FaultKind.UNKNOWN_CITATION:
            number = UNKNOWN_NUMBER
        lines.append(claim(sentence.text, number, quote))
    return "\\n".join(lines) or NOT_FOUND


def _followed_instruction(
    prompt: ScriptedPrompt, script: Script
) -> HiddenInstruction | None:
    """Return the instruction of a passage, where the script follows those."""
    if not script.obeys_injections:
        return None
    given = passages_in(prompt.text)
    return instruction_in(
        "\n".join(passage.text for passage in given) if given else _source(prompt)
    )


def echo(question: str, tokens: int) -> str:
    """Return a text of so many tokens that begins with the question."""
    asked = " ".join(question.split())[:120]
    cjk = any(map(is_cjk, asked))
    text = pieces(f"您問的是「{asked}」。" if cjk else f"You asked: {asked}")
    filler, spaced = _FILLER[cjk], _FILLER_SPACED[cjk]
    start = crc32(question.encode())
    missing = range(tokens - len(text))
    text += [spaced.format(filler[(start + n) % len(filler)]) for n in missing]
    return "".join(text[:tokens])


def _tool_to_call(
    prompt: ScriptedPrompt, script: Script, rule: Rule | None
) -> Tool | None:
    """Return the tool to call, if one is to be called."""
    if not prompt.tools or not script.supports_tools:
        return None
    uncalled = [tool for tool in prompt.tools if tool.name not in prompt.called]
    by_rule = [tool for tool in uncalled if rule and tool.name == rule.tool]
    if by_rule:
        return by_rule[0]
    if prompt.must_call:
        return (uncalled or prompt.tools[-1:])[0]
    if _followed_instruction(prompt, script):
        return uncalled[0] if uncalled else None
    question = prompt.question.casefold()
    for tool in uncalled:
        name = tool.name.casefold()
        if name in question or name.replace("_", " ") in question:
            return tool
    return None


def _tool_reply(
    prompt: ScriptedPrompt, tool: Tool, rule: Rule | None, counted: int
) -> Reply:
    arguments = rule.arguments if rule and rule.tool == tool.name else None
    if arguments is None:
        arguments = Filler({"type": "object", **tool.schema}, _source(prompt)).fill()
    written = orjson.dumps(arguments).decode()
    call = ToolCall(f"call_{prompt.identity[:24]}", tool.name, written)
    return Reply(tuple(pieces(written)), call, "tool_calls", counted)


def _source(prompt: ScriptedPrompt) -> str:
    """Return the text that schemas are filled from: all but the system's messages."""
    return "\n".join(t.text for t in prompt.turns if t.role in {"user", "tool"})
