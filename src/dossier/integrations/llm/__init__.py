"""Model servers: the relay of the web process, typed output of the worker."""
