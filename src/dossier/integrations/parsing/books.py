"""The former place of `SandboxedBooks`, until its callers import it from `reader`."""

from dossier.integrations.parsing.reader import SandboxedBooks

__all__ = ["SandboxedBooks"]
