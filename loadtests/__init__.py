"""The room of load scenarios: they import nothing of ours but each other."""
