"""Model servers: chat, typed output and embeddings by pydantic-ai."""
