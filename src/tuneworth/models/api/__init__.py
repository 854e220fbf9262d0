"""Models behind an address that speaks OpenAI's protocol, through the openai SDK."""
