"""A demonstration under kill -9 of every part of it, and what must be found afterwards."""
