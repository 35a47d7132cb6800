"""Loads the tables of all domains, for migrations and checks."""

import importlib
import importlib.util
import pkgutil

import dossier


def load_models() -> None:
    """Import every `dossier.<domain>.models`, so that the metadata are whole."""
    for module in pkgutil.iter_modules(dossier.__path__, "dossier."):
        name = f"{module.name}.models"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
