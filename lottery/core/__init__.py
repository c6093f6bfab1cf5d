"""The draw and the split as pure functions: standard library only, no clock, no randomness, no I/O."""
