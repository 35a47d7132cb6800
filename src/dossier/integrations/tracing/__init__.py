"""Traces of model calls by OTLP, with OpenTelemetry's GenAI names; off by default."""
