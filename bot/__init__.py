"""The room of the chat bot: it will speak to residents through `campaigns.services` alone."""
