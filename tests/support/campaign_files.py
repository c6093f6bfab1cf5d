"""Campaign files whose windows lie around a campaign time, for tests."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")

DRAW = """
schema: hongbao/campaign/1
programme: test
code: {code}
name: {{zh: "测试红包", en: "Test packets"}}
about: {{zh: "测试用活动。", en: "A campaign for tests."}}
places: ["370124"]
scenario: retail
windows:
  registration: {{start: "{t[0]}", end: "{t[1]}"}}
  draw: {{start: "{t[1]}", end: "{t[2]}"}}
  acceptance: {{start: "{t[2]}", end: "{t[3]}"}}
  spending: {{start: "{t[2]}", end: "{t[4]}"}}
budget_fen: {budget_fen}
funders:
  - {{id: county, name: {{zh: "县财政", en: "County"}}, share_bp: 7000}}
  - {{id: city, name: {{zh: "市财政", en: "City"}}, share_bp: 3000}}
custody_operators:
  - {{id: bank-a, name: {{zh: "机构甲", en: "Operator A"}}, share_bp: 6000}}
  - {{id: bank-b, name: {{zh: "机构乙", en: "Operator B"}}, share_bp: 4000}}
issuing:
  method: draw
  tiers:
    - {{id: gold, name: {{zh: "一等", en: "Gold"}}, count: 10, amount: {{kind: fixed, amount_fen: 2000}}}}
    - {{id: luck, name: {{zh: "手气", en: "Luck"}}, count: 5, amount: {{kind: split, total_fen: 5000, low_fen: 500, high_fen: 2000}}}}
  sources:
    - {{kind: {beacon}, due: "{due}"}}
  waitlist: 10
merchants: {{tags: [test]}}
terms:
  benefit: {{kind: stored_value}}
  valid_days: 14
"""

LIST = """
schema: hongbao/campaign/1
programme: test
code: {code}
name: {{zh: "名单补贴", en: "List subsidy"}}
about: {{zh: "测试用名单。", en: "A list for tests."}}
places: ["370124"]
scenario: retail
per_person: {per_person}
windows:
  acceptance: {{start: "{t[0]}", end: "{t[3]}"}}
  spending: {{start: "{t[0]}", end: "{t[4]}"}}
budget_fen: {budget_fen}
funders:
  - {{id: county, name: {{zh: "县财政", en: "County"}}, share_bp: 7000}}
  - {{id: city, name: {{zh: "市财政", en: "City"}}, share_bp: 3000}}
custody_operators:
  - {{id: bank-a, name: {{zh: "机构甲", en: "Operator A"}}, share_bp: 6000}}
  - {{id: bank-b, name: {{zh: "机构乙", en: "Operator B"}}, share_bp: 4000}}
issuing:
  method: list
  tiers:
    - {{id: gold, name: {{zh: "一等", en: "Gold"}}, count: 10, amount: {{kind: fixed, amount_fen: 2000}}}}
    - {{id: luck, name: {{zh: "手气", en: "Luck"}}, count: 5, amount: {{kind: split, total_fen: 5000, low_fen: 500, high_fen: 2000}}}}
merchants: {{tags: [test]}}
terms:
  benefit: {{kind: stored_value}}
  valid_days: 14
"""

RUSH = (
    LIST.replace("  method: list\n", "  method: rush\n")
    .replace("merchants:", '  openings: [{{at: "{t[0]}", tier: gold, count: 10}}]\nmerchants:', 1)
    .replace("""  acceptance: {{start: "{t[0]}", end: "{t[3]}"}}\n""", "")
)


def moments(now: datetime) -> list[str]:
    """Five local times: an hour ago, then 1, 2, 9 and 30 days on, in whole minutes."""
    after = [timedelta(hours=-1), *(timedelta(days=days) for days in (1, 2, 9, 30))]
    return [(now.astimezone(ZONE) + step).strftime("%Y-%m-%d %H:%M") for step in after]


def draw_file(
    now: datetime, code: str = "test-draw", budget_fen: int = 30_001, beacon: str = "rehearsal"
) -> str:
    """A draw: 10 times ¥20 and 5 packets sharing ¥50, paid 70:30 by two funders, kept 60:40 by two operators."""
    due = (now.astimezone(ZONE) + timedelta(days=1, hours=1)).strftime("%Y-%m-%d %H:%M")
    return DRAW.format(code=code, t=moments(now), due=due, budget_fen=budget_fen, beacon=beacon)


def list_file(now: datetime, code: str = "test-list", budget_fen: int = 30_001, per_person: int = 1) -> str:
    """A list with the same money as `draw_file`; registration is open and spending begins at once."""
    return LIST.format(code=code, t=moments(now), budget_fen=budget_fen, per_person=per_person)


def rush_file(now: datetime, code: str = "test-rush") -> str:
    """A rush definition: it validates, and cannot be published."""
    return RUSH.format(code=code, t=moments(now), budget_fen=30_001, per_person=1)
