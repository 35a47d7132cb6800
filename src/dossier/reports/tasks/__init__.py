"""The job of reports."""

from dossier.reports.tasks.render import Press as Press
from dossier.reports.tasks.render import render as render
