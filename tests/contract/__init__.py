"""The HTTP API against its own OpenAPI document: schemathesis on a real server with data in every state."""
