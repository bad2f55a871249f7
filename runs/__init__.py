"""Questions, generation on vLLM, and the store."""
