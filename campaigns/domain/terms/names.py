"""Words for the enumerations of terms, in zh and en."""

from collections.abc import Iterable, Mapping

WEEKDAY_NAMES: Mapping[str, tuple[str, str]] = {
    "mon": ("周一", "Monday"),
    "tue": ("周二", "Tuesday"),
    "wed": ("周三", "Wednesday"),
    "thu": ("周四", "Thursday"),
    "fri": ("周五", "Friday"),
    "sat": ("周六", "Saturday"),
    "sun": ("周日", "Sunday"),
}
CHANNEL_NAMES: Mapping[str, tuple[str, str]] = {
    "in_store": ("门店", "in store"),
    "online": ("线上", "online"),
    "unattended": ("无人值守设备", "at unattended machines"),
}
CATEGORY_NAMES: Mapping[str, tuple[str, str]] = {
    "lottery": ("彩票", "lottery"),
    "tobacco": ("烟草", "tobacco"),
}
SCOPE_NAMES: Mapping[str, tuple[str, str]] = {
    "person": ("每人", "per person"),
    "merchant": ("每商户", "per merchant"),
    "person_merchant": ("每人在同一商户", "per person at one merchant"),
    "campaign": ("整个活动", "for the whole campaign"),
}
PERIOD_NAMES: Mapping[str, tuple[str, str]] = {
    "day": ("每天", "a day"),
    "week": ("每周（周一起）", "a week (from Monday)"),
    "month": ("每月", "a month"),
    "whole": ("活动期间", "in all"),
}


def in_both(keys: Iterable[str], names: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Join the names of ``keys`` for zh and en; a key without a name stands for itself."""
    pairs = [names.get(key, (key, key)) for key in keys]
    return "、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs)
