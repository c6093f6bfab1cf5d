"""Changes of a line or two to rules, locks, group commit and transfers, each of which must turn a test red: `make mutants`."""
