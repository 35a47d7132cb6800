"""The job engine: the only package that knows it is pgqueuer.

`carry.py` is all that the web process needs and imports no engine code.
"""
