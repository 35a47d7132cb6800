"""Errors of the embedded database, each with its remedy."""

from dossier.core.errors import UnavailableError

# Marks in the output of the system and PostgreSQL, and what a person can do.
_REMEDIES = (
    ("No space left on device", "The disk is full: free some space and start again."),
    (
        "ermission denied",
        "Give the server's user write access to the folder, or set DOSSIER_HOME.",
    ),
    (
        "Read-only file system",
        "Set DOSSIER_HOME to a folder on a file system that can be written.",
    ),
    (
        "could not create shared memory segment",
        "The system's shared memory is too small: allow at least 256 MiB.",
    ),
    (
        "error while loading shared libraries",
        "A system library is missing: install it, or set DOSSIER_DATABASE__URL.",
    ),
)
_LOOK = "Read the log, or set DOSSIER_DATABASE__URL to a server of your own."


class EmbeddedDatabaseError(UnavailableError):
    """The embedded PostgreSQL cannot be made, started or reached."""

    title = "The embedded database cannot run"

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


def failed(output: str, *, step: str) -> EmbeddedDatabaseError:
    """Return the error of a failed step, with the advice that its output calls for."""
    said = " ".join(output.split())[-600:] or "It said nothing."
    remedy = next((remedy for mark, remedy in _REMEDIES if mark in output), _LOOK)
    return EmbeddedDatabaseError(f"{step} failed: {said}", remedy)


def unwritable(error: OSError) -> EmbeddedDatabaseError:
    """Return the error of a folder or file that the system refused."""
    return failed(str(error), step="Preparing the folder of the database")
