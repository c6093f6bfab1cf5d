"""Bad campaign files: each case edits a good template and names every code that must be reported, with its line.

``line`` counts from the first changed line of the file (0 = that line).
"""

from typing import NamedTuple

from campaigns.domain.definition.templates import template_text

PINGYIN = "pingyin-spend-and-save"
LIST = "list-subsidy"
RUSH = "rush"
LUOHU = "stored-value-draw"


class Case(NamedTuple):
    code: str
    old: str
    new: str
    template: str = PINGYIN
    line: int = 0
    also: tuple[str, ...] = ()

    def text(self) -> str:
        source = template_text(self.template)
        assert source.count(self.old) >= 1, f"{self.old!r} is not in {self.template}"
        return source.replace(self.old, self.new, 1)

    def expected_line(self) -> int:
        source = template_text(self.template)
        start = source[: source.index(self.old)].count("\n") + 1
        same = 0
        for before, after in zip(self.old.split("\n"), self.new.split("\n"), strict=False):
            if before != after:
                break
            same += 1
        return start + same + self.line


BUDGET = "budget_fen: 20000000"
CODE = "code: pingyin-autumn-2023"
STEP_2 = "{spend_fen: 10000, save_fen: 2200}"
STEP_3 = "{spend_fen: 15000, save_fen: 3000}"
CAP_2 = "{scope: person_merchant, period: day, uses: 1}"
QUOTA_1 = '{place: "370124001", count: 180}'
BEACON = '{kind: rehearsal, due: "2023-10-14 10:00"}'
OFFICE = '{kind: office, due: "2023-10-13 20:00"}'
TIER_2 = "      amount: {kind: fixed, amount_fen: 6000}"

YAML_CASES = (
    Case("file_tab", "windows:\n  registration", "windows:\n\tregistration"),
    Case("file_malformed", CODE, "code: pingyin: autumn"),
    Case("file_malformed", 'places: ["370124"]\n#', 'places: ["370124"\n#', line=2),
    Case("file_second_document", CODE, f"{CODE}\n---\nmore: 1"),
    Case("file_anchor", CODE, "code: &x pingyin-autumn-2023"),
    Case("file_anchor", CODE, "code: *x"),
    Case("file_anchor", BUDGET, f"{BUDGET}\n<<: {{budget_fen: 1}}"),
    Case("file_tag", BUDGET, 'budget_fen: !!int "20000000"'),
    Case("file_tag", CODE, "code: !!python/object/apply:os.system [ls]"),
    Case("file_too_deep", BUDGET, "budget_fen: " + "[" * 20 + "]" * 20),
    Case("file_too_many_values", BUDGET, "budget_fen: [" + "1," * 20_001 + "]"),
    Case("file_key_not_text", BUDGET, f"{BUDGET}\n? [a, b]\n: 1", also=("file_member_unknown",)),
    Case("file_member_doubled", BUDGET, f"{BUDGET}\nbudget_fen: 30000000"),
    Case("file_member_doubled", QUOTA_1, '{place: "370124001", count: 180, count: 170}'),
    Case("file_text_hidden", CODE, "code: pingyin\x00"),
    Case("file_text_hidden", CODE, 'code: "pingyin\\u0000"'),
    Case("file_text_hidden", CODE, 'code: "pingyin\\uD800"'),
    Case("file_text_hidden", CODE, "code: pingyin\ud800"),
    Case("file_text_hidden", CODE, "code: ping\u202eyin"),
    Case("file_text_hidden", BUDGET, f'{BUDGET}\n"\\e[31mcolour": 1', also=("file_member_unknown",)),
)

SHAPE_CASES = (
    Case("file_member_missing", BUDGET, "", line=-44),
    Case("file_member_missing", QUOTA_1, '{place: "370124001"}'),
    Case("file_member_misspelt", BUDGET, "budget_fenn: 20000000"),
    Case("file_member_misspelt", "valid_days: 14", "valid_day: 14"),
    Case("file_member_unknown", BUDGET, f"{BUDGET}\ncolour: red"),
    Case("file_kind_missing", "amount: {kind: fixed, amount_fen: 6000}", "amount: {amount_fen: 6000}"),
    Case(
        "file_not_choice", "amount: {kind: fixed, amount_fen: 6000}", "amount: {kind: fix, amount_fen: 6000}"
    ),
    Case("file_not_choice", "[mon, tue", "[monday, tue"),
    Case("file_not_choice", "schema: hongbao/campaign/1", "schema: hongbao/campaign/2"),
    Case("file_value_missing", BUDGET, "budget_fen:"),
    Case("file_value_missing", CODE, "code: null"),
    Case("file_not_mapping", "amount: {kind: fixed, amount_fen: 6000}", "amount: 6000"),
    Case(
        "file_not_mapping", '"370124002": {zh: "锦水街道", en: "Jinshui Subdistrict"}', '"370124002": Jinshui'
    ),
    Case("file_not_list", 'places: ["370124"]\n#', 'places: "370124"\n#'),
    Case("file_not_single", BUDGET, "budget_fen: [20000000]"),
    Case("file_list_too_long", '["07:00-22:00"]', "[" + '"07:00-22:00",' * 13 + "]"),
    Case("file_list_empty", "[mon, tue, wed, thu, fri, sat, sun]", "[]"),
    Case("file_list_empty", 'places: ["370124"]\n#', "places: []\n#"),
    Case("file_text_unquoted", 'places: ["370124"]\n#', "places: [370124]\n#"),
    Case("file_text_unquoted", CODE, "code: no"),
    Case("file_text_unquoted", CODE, "code: 0x1F"),
    Case("file_text_too_long", CODE, "code: " + "x" * 2_001),
    Case("file_text_empty", '"Pingyin Autumn e-CNY Spend-and-Save Red Packets"', '"  "'),
    Case("file_not_boolean", "days: any", "days: any\n  first_purchase: yes"),
    Case("file_not_date", '["2023-10-23"]', '["2023-02-30"]'),
    Case("file_not_date", '["2023-10-23"]', '["23.10.2023"]'),
    Case("file_not_integer", BUDGET, "budget_fen: many"),
    Case("file_float", "waitlist: 600", "waitlist: 600.0"),
    Case("file_float", "waitlist: 600", "waitlist: 6e2"),
    Case("file_amount_not_fen", BUDGET, "budget_fen: 200000.00"),
    Case("file_amount_not_fen", BUDGET, "budget_fen: ¥200,000"),
    Case("file_amount_not_fen", "amount_fen: 6000", "amount_fen: 60元"),
    Case("file_digits_not_ascii", BUDGET, "budget_fen: ２０００００００"),
    Case("file_digits_not_ascii", BUDGET, "budget_fen: ٢٠"),
    Case("file_digits_not_ascii", "waitlist: 600", "waitlist: 六百"),
    Case("file_integer_quoted", BUDGET, 'budget_fen: "20000000"'),
    Case("file_integer_grouped", BUDGET, "budget_fen: 20_000_000"),
    Case("file_integer_padded", BUDGET, "budget_fen: 020000000"),
    Case("file_number_huge", BUDGET, "budget_fen: 9" + "9" * 5_000),
    Case("file_out_of_range", "hold_seconds: 600", "hold_seconds: 86401"),
    Case("file_out_of_range", "hold_seconds: 600", "hold_seconds: 0"),
    Case("file_out_of_range", "count: 800", "count: -1"),
    Case("file_out_of_range", "valid_days: 14", "valid_days: 0"),
    Case("file_out_of_range", "latitude_e6: 36661000", "latitude_e6: 117021000", RUSH),
    Case("file_out_of_range", "basis_points: 2000", "basis_points: 10001", LIST),
    Case("file_amount_out_of_range", BUDGET, "budget_fen: -20000000"),
    Case("file_amount_out_of_range", "amount_fen: 6000", "amount_fen: 0"),
    Case("file_amount_out_of_range", "amount_fen: 6000", "amount_fen: 100000001"),
)

NAME_CASES = (
    Case("file_id_form", CODE, "code: Pingyin_2023"),
    Case("file_id_form", "id: county-finance", "id: 县财政局"),
    Case("file_class_form", "stacking_class: default", "stacking_class: Default Class"),
    Case("file_label_form", 'tags: ["pingyin-2023"]', 'tags: ["two words"]'),
    Case("file_item_doubled", "id: commerce-centre", "id: county-finance"),
    Case("file_item_doubled", 'tags: ["pingyin-2023"]', 'tags: ["a", "a"]'),
    Case("file_item_doubled", OFFICE, '{kind: rehearsal, due: "2023-10-13 20:00"}', line=1),
    Case("file_place_form", 'places: ["370124"]\n#', 'places: ["37012"]\n#'),
    Case("file_place_form", 'places: ["370124"]\n#', 'places: ["３７０１２４"]\n#'),
    Case("file_place_digits", '  places: ["370124"]\n\nterms', '  places: ["370100"]\n\nterms'),
    Case("file_place_unknown", '  places: ["370124"]\n\nterms', '  places: ["370199"]\n\nterms'),
    Case("file_place_unknown", '"370124106"]', '"370199106"]', also=("file_quota_not_registrable",)),
    Case("file_place_outside", '  places: ["370124"]\n\nterms', '  places: ["370126"]\n\nterms'),
    Case("file_places_nested", '{place: "370124002", count: 180}', '{place: "370124", count: 180}', line=-1),
    Case("file_quota_not_registrable", '["370124001", "370124002",', '["370124002",', line=27),
    Case("file_scenario_unknown", "scenario: retail", "scenario: shopping"),
    Case("file_scenario_place", "scenario: retail", "scenario: star_community"),
    Case("file_scenario_issuing", "scenario: retail", "scenario: consumption_subsidy"),
    Case("file_scenario_carrier", "scenario: retail", "scenario: social_security_card"),
    Case("file_scenario_not_spendable", "scenarios: [retail,", "scenarios: [tax,"),
    Case("file_mcc_form", 'mcc: ["4900"]', 'mcc: ["490"]', LIST),
    Case("file_time_zone_unknown", "time_zone: Asia/Shanghai", "time_zone: Asia/Shangai"),
    Case("file_time_zone_unknown", "time_zone: Asia/Shanghai", "time_zone: Asia"),
)

TIME_CASES = (
    Case("file_time_form", '"2023-10-09 09:00"', '"2023-10-09T09:00"'),
    Case("file_time_form", '"2023-10-09 09:00"', '"2023-10-09 24:01"'),
    Case("file_time_form", '"2023-10-09 09:00"', "2023-10-09"),
    Case("file_window_empty", 'end: "2023-10-13 18:00"', 'end: "2023-10-09 09:00"'),
    Case("file_window_too_long", 'end: "2023-10-31 24:00"', 'end: "2026-10-31 24:00"'),
    Case(
        "file_window_missing",
        '  draw:         {start: "2023-10-13 18:00", end: "2023-10-14 12:00"}\n',
        "",
        line=-2,
    ),
    Case(
        "file_window_missing",
        '  acceptance: {start: "2023-11-01 09:00", end: "2023-11-30 24:00"}\n',
        "",
        LIST,
        -2,
    ),
    Case(
        "file_window_unused",
        "windows:\n  #",
        'windows:\n  draw: {start: "2023-10-01 00:00", end: "2023-10-02 00:00"}\n  #',
        LIST,
    ),
    Case("file_windows_overlap", '{start: "2023-10-13 18:00"', '{start: "2023-10-13 17:59"'),
    Case(
        "file_windows_overlap",
        'acceptance:   {start: "2023-10-14 12:00"',
        'acceptance:   {start: "2023-10-14 11:00"',
    ),
    Case(
        "file_windows_overlap",
        'spending:     {start: "2023-10-14 12:00"',
        'spending:     {start: "2023-10-14 11:00"',
    ),
    Case("file_acceptance_after_spending", 'end: "2023-10-18 24:00"', 'end: "2023-11-01 00:01"'),
    Case("file_source_outside_draw", BEACON, '{kind: rehearsal, due: "2023-10-14 12:00"}'),
    Case("file_sources_unordered", OFFICE, '{kind: office, due: "2023-10-14 10:00"}', line=1),
    Case("file_sources_choosable", f"    - {BEACON}\n", "", line=-2),
    Case(
        "file_source_last_choosable",
        BEACON,
        f'{BEACON}\n    - {{kind: notary, due: "2023-10-14 11:00"}}',
        line=0,
    ),
    Case("file_source_before_genesis", "{kind: rehearsal", "{kind: drand", LUOHU),
    Case("file_opening_after_spending", '"2023-11-25 10:00"', '"2023-12-04 00:00"', RUSH),
    Case("file_openings_unordered", '"2023-11-11 10:00"', '"2023-11-03 10:00"', RUSH),
    Case("file_hours_form", '["07:00-22:00"]', '["22:00-07:00"]'),
    Case("file_hours_overlap", '["07:00-22:00"]', '["07:00-12:00", "11:00-22:00"]'),
    Case("file_blackout_outside", '["2023-10-23"]', '["2023-10-13"]'),
    Case(
        "file_never_spendable",
        "channels: [in_store, unattended]",
        "channels: [in_store, unattended]\n  days: workday\n  weekdays: [sat, sun]",
        LUOHU,
        line=-4,
    ),
    Case(
        "file_holidays_missing",
        'spending: {start: "2023-11-04 10:00", end: "2023-12-03 24:00"}',
        'spending: {start: "2027-11-04 10:00", end: "2027-12-03 24:00"}',
        RUSH,
        line=27,
    ),
    Case("file_holidays_year", "days: any", 'days: any\n  holidays: {"23": {holidays: []}}'),
    Case(
        "file_holiday_other_year", "days: any", 'days: any\n  holidays: {"2023": {holidays: ["2024-01-01"]}}'
    ),
    Case(
        "file_holiday_and_workday",
        "days: any",
        'days: any\n  holidays: {"2023": {holidays: ["2023-10-15"], workdays: ["2023-10-15"]}}',
    ),
)

MONEY_CASES = (
    Case("file_shares_sum", "share_bp: 7500", "share_bp: 7000", line=-1),
    Case("file_shares_sum", "share_bp: 5000", "share_bp: 5001", line=-1),
    Case("file_over_budget", BUDGET, "budget_fen: 18999999"),
    Case("file_too_many_vouchers", "count: 1000\n", "count: 10000000\n", line=-18, also=("file_max_entries_low",)),
    Case("file_split_bounds", "low_fen: 3000", "low_fen: 6001"),
    Case("file_split_infeasible", "total_fen: 5000000", "total_fen: 7200001", also=("file_over_budget",)),
    Case("file_split_infeasible", "total_fen: 5000000", "total_fen: 3599999"),
    Case("file_quotas_sum", "count: 180}", "count: 181}", line=-1),
    Case("file_quotas_draw_only", "count: 1500, amount: {kind: fixed, amount_fen: 6000}", 'count: 1500, amount: {kind: fixed, amount_fen: 6000}, quotas: [{place: "370124001", count: 1500}]', LIST),
    Case("file_per_person_draw", "per_person: 1", "per_person: 2"),
    Case("file_tier_unknown", "tier: ticket", "tier: tickets", RUSH),
    Case("file_openings_exceed", '"2023-11-25 10:00", tier: ticket, count: 1000', '"2023-11-25 10:00", tier: ticket, count: 1001', RUSH),
    Case("file_max_entries_low", "max_entries: 200000", "max_entries: 2999"),
    Case("file_steps_unordered", STEP_2, "{spend_fen: 5000, save_fen: 2200}"),
    Case("file_steps_unordered", STEP_2, "{spend_fen: 10000, save_fen: 1000}"),
    Case("file_step_saves_all", "{spend_fen: 5000, save_fen: 1000}", "{spend_fen: 2000, save_fen: 2001}"),
    Case("file_step_unreachable", "min_spend_fen: 2000", "min_spend_fen: 5001"),
    Case("file_step_above_face", STEP_3, "{spend_fen: 15000, save_fen: 10001}", also=("file_step_above_max_per_use",)),
    Case("file_step_above_max_per_use", "max_per_use_fen: 3000", "max_per_use_fen: 2999"),
    Case("file_cap_empty", CAP_2, "{scope: person_merchant, period: day}"),
    Case("file_cap_doubled", CAP_2, "{scope: person, period: day, uses: 3}"),
    Case("file_cap_pointless", CAP_2, "{scope: person, period: week, uses: 2}", line=-1),
)  # fmt: skip

CASES = (*YAML_CASES, *SHAPE_CASES, *NAME_CASES, *TIME_CASES, *MONEY_CASES)
