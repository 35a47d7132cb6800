"""Dossier: papers in, an inspectable Product Information File out."""

__version__ = "0.1.0"
