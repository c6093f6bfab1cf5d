"""A real deployment under load and under fire: what was acknowledged stays, nothing happens twice, service comes back."""
