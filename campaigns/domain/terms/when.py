"""Rules about time: the voucher's life, weekdays, hours and dates. All but the window's are local."""

from campaigns.domain.errors import Fact
from campaigns.domain.terms.facts import LIVE
from campaigns.domain.terms.names import WEEKDAY_NAMES, in_both
from campaigns.domain.terms.rules import Case, Rules
from campaigns.domain.windows import local_end_text, local_text

No = tuple[str, dict[str, Fact]]


def spending_window(rules: Rules, case: Case) -> No | None:
    """Not before the spending window's start, not at or after its end."""
    if case.now < rules.start:
        return "window_not_open", {
            "starts": local_text(rules.start, rules.zone),
            "ends": local_end_text(rules.end, rules.zone),
        }
    if case.now >= rules.end:
        return "window_over", {"ends": local_end_text(rules.end, rules.zone)}
    return None


def voucher_state(rules: Rules, case: Case) -> No | None:
    """Only a live voucher may be spent."""
    if case.voucher.state != LIVE:
        return "voucher_not_live", {"state": case.voucher.state}
    return None


def voucher_expiry(rules: Rules, case: Case) -> No | None:
    """Not at or after the end fixed at the grant, whatever the sweep has done yet."""
    if case.now >= case.voucher.expires_at:
        return "voucher_expired", {
            "granted": local_text(case.voucher.granted_at, rules.zone),
            "expired": local_end_text(case.voucher.expires_at, rules.zone),
        }
    return None


def weekday(rules: Rules, case: Case) -> No | None:
    """Only on the weekdays named."""
    if case.day.weekday() not in rules.weekdays:
        zh, en = in_both(rules.terms.weekdays, WEEKDAY_NAMES)
        return "weekday_not_allowed", {"weekdays_zh": zh, "weekdays_en": en}
    return None


def hours(rules: Rules, case: Case) -> No | None:
    """Only within one of the hours named, ends exclusive; none named is the whole day."""
    if rules.hours and not any(start <= case.minute < end for start, end in rules.hours):
        return "hour_not_allowed", {"hours": ", ".join(rules.terms.hours)}
    return None


def blackout(rules: Rules, case: Case) -> No | None:
    """Not on a blackout date."""
    if case.day in rules.blackout_dates:
        return "blackout_date", {"date": case.day.isoformat()}
    return None


def holiday(rules: Rules, case: Case) -> No | None:
    """On workdays only or on rest days only, make-up workdays being workdays."""
    kind = rules.terms.days
    if kind == "workday" and case.day in rules.rest_days:
        return "holiday_not_allowed", {"date": case.day.isoformat()}
    if kind == "rest_day" and case.day not in rules.rest_days:
        return "workday_not_allowed", {"date": case.day.isoformat()}
    return None
