"""Programme and campaign templates: data only."""
