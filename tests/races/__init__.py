"""Races: one test for each limit, and a negative control that shows what keeps it.

Two servers with pools of their own share one database. Their transactions meet before they write (`stage.py`), so
that every run has the same interleaving. A control is the same race on a database of its own where every protection
of the limit is gone (locks and compare-and-set out of the statements, keys and checks out of the tables); it must
break the invariant, not end in an error. Every race ends with the invariant audit.
"""
