"""The job engine: the only package that knows it is pgqueuer.

`client.py` is all that the web process needs and imports no engine code.
"""
