"""`hongbao demo`: one campaign from its file to its report, with simulated residents and a real server."""
