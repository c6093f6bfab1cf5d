"""The uptake report for people: a page that is complete in itself, and tables in the terminal."""

from api.report.page import render_page
from api.report.table import show

__all__ = ["render_page", "show"]
