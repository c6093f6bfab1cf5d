"""Twenty one-line changes to rules, locks and transfers, each of which must turn a test red: `make mutants`."""
