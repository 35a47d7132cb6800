"""The wires of OpenAI and Anthropic, byte by byte."""
