"""What the vendors' own servers are called, and how their models want to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor's address and the models that are asked where none is named."""

    base_url: str
    strong: str
    cheap: str


OPENAI = Vendor("https://api.openai.com/v1", "gpt-6.1-terra", "gpt-6-luna")
ANTHROPIC = Vendor("https://api.anthropic.com", "claude-sonnet-5-5", "claude-haiku-5-5")
VENDOR_HOSTS = frozenset({"api.openai.com", "api.anthropic.com"})


@dataclass(frozen=True, slots=True)
class Manners:
    """What a family of models must, or must not, be sent.

    An answer over passages needs no hidden reasoning: it would use up the output
    tokens and the time to the first one. Where it can be switched off, it is.
    """

    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    takes_temperature: bool = True


PLAIN = Manners()
_ALWAYS_REASONS = Manners(takes_temperature=False)
_EFFORT_NONE = Manners(MappingProxyType({"reasoning_effort": "none"}))
_THINKS_NOT = Manners(MappingProxyType({"thinking": {"type": "disabled"}}))
_THINKS_BETWEEN_TOOLS = Manners(
    MappingProxyType({"thinking": {"type": "between_tools"}})
)

# The first prefix that fits counts: the special before the general.
_MANNERS: tuple[tuple[str, Manners], ...] = (
    ("gpt-6-astra", _ALWAYS_REASONS),
    ("gpt-6.1-sol", _ALWAYS_REASONS),
    ("gpt-6.1-terra", _EFFORT_NONE),
    ("gpt-6-sol", _EFFORT_NONE),
    ("gpt-6-luna", _EFFORT_NONE),
    ("gpt-5.6", _EFFORT_NONE),
    ("gpt-5.5-pro", _ALWAYS_REASONS),
    ("gpt-5.5", _EFFORT_NONE),
    ("gpt-5.4-pro", _ALWAYS_REASONS),
    ("gpt-5.4", _EFFORT_NONE),
    ("gpt-5.3-chat", _ALWAYS_REASONS),
    ("gpt-5.3", _EFFORT_NONE),
    ("gpt-5.2-pro", _ALWAYS_REASONS),
    ("gpt-5.2-chat", _ALWAYS_REASONS),
    ("gpt-5.2", _EFFORT_NONE),
    ("gpt-5.1-c", _ALWAYS_REASONS),
    ("gpt-5.1", _EFFORT_NONE),
    ("gpt-5-chat", PLAIN),
    ("gpt-5", _ALWAYS_REASONS),
    ("gpt-6", _ALWAYS_REASONS),
    ("o1", _ALWAYS_REASONS),
    ("o3", _ALWAYS_REASONS),
    ("o4", _ALWAYS_REASONS),
    ("claude-opus-5-5", PLAIN),
    ("claude-opus-5", _THINKS_NOT),
    ("claude-sonnet-5-5", _THINKS_BETWEEN_TOOLS),
    ("claude-sonnet-5", _THINKS_NOT),
    ("claude-haiku-5-5", _THINKS_NOT),
)


def manners_of(model: str) -> Manners:
    """Return how a vendor's model wants to be asked."""
    return next((found for key, found in _MANNERS if model.startswith(key)), PLAIN)
