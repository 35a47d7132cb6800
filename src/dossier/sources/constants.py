"""Constants of outside sources."""

from typing import Final

CREATE_BASE_TASK: Final = "sources.create_base"
PUSH_DOCUMENT_TASK: Final = "sources.push_document"

CENTRAL_MAX_FAILURES: Final = 12
"""Failures in a row of a job for the central service: about half an hour."""

MAX_BASES: Final = 200
"""Knowledge bases that one search may ask: those of the newest products."""

MAX_ENQUEUED: Final = 500
"""Jobs for missing bases, or for copies that differ, enqueued at a time."""

CENTRAL_HOST: Final = "central-retrieval"
CENTRAL_INTERVAL_S: Final = 0.1
"""Least time between two calls of jobs to that service, over all workers."""
