"""Codes of campaign files: what is wrong, and after the dash what to write instead.

``definition_invalid`` is the one code callers meet; the ``file_`` codes stand for single problems inside it.
"""

from campaigns.domain.codes.model import Code


def _file(zh: str, en: str) -> Code:
    return Code("invalid", 422, zh, en)


_WHOLE: dict[str, Code] = {
    "definition_invalid": _file("活动文件有 {count} 处问题，第一处在第 {line} 行：{first_zh}", "The campaign file has problems: {count}; the first is on line {line}: {first_en}"),
    "template_unknown": _file("没有模板“{name}”——可选：{allowed}。", "There is no template '{name}' — take one of: {allowed}."),
    "file_more_problems": _file("此后还有 {count} 处问题——请先改正以上各处再校验。", "There are {count} more problems after this — mend the ones above and validate again."),
    "file_too_large": _file("文件超过 {limit_bytes} 字节——请用商户标签代替长名单。", "The file has more than {limit_bytes} bytes — use merchant tags instead of long lists."),
    "file_not_utf8": _file("此处不是 UTF-8 文字——请用 UTF-8 编码保存文件（不是 GBK 或 UTF-16）。", "This is not UTF-8 text — save the file as UTF-8 (not GBK, not UTF-16)."),
    "file_byte_order_mark": _file("文件以字节顺序标记（BOM）开头——请存为“UTF-8（无 BOM）”。", "The file begins with a byte order mark — save it as 'UTF-8 without BOM'."),
    "file_text_hidden": _file("此处有看不见的字符 {character}——请删去并重新输入这段文字。", "There is a hidden character {character} here — delete it and type the text again."),
    "file_empty": _file("文件没有内容——请用 hongbao campaign new 从模板开始。", "The file is empty — start from a template with 'hongbao campaign new'."),
    "file_tab": _file("缩进用了制表符——请改用空格，每层两个。", "This line is indented with a tab — use spaces, two for each level."),
    "file_malformed": _file("此处不是有效的 YAML（{detail}）——请检查缩进、冒号后的空格以及引号和括号是否成对。", "This is not valid YAML ({detail}) — check the indentation, the space after each colon, and that quotes and brackets are closed."),
    "file_second_document": _file("此处开始了第二个文档——一个文件只写一个活动，请删去多余的“---”。", "A second document begins here — write one campaign per file and delete the extra '---'."),
    "file_anchor": _file("用了 YAML 引用“{name}”——请把内容照原样写出来。", "'{name}' is a YAML reference — write the value out in full."),
    "file_tag": _file("用了 YAML 标签“{tag}”——请删去标签，只留下值。", "'{tag}' is a YAML tag — delete it and keep the value."),
    "file_too_deep": _file("层次超过 {limit} 层——请对照模板减少嵌套。", "This is nested more than {limit} levels deep — compare with a template and flatten it."),
    "file_too_many_values": _file("文件里的值超过 {limit} 个——请用标签或地区代替逐个列出。", "The file holds more than {limit} values — use tags or places instead of listing everything."),
    "file_key_not_text": _file("成员名不是文字——请写成“名称: 值”。", "A member's name must be text — write 'name: value'."),
    "file_member_doubled": _file("成员“{member}”在第 {first_line} 行已经写过——只留一个。", "The member '{member}' stands already on line {first_line} — keep one of them."),
}  # fmt: skip

_SHAPE: dict[str, Code] = {
    "file_member_missing": _file("缺少成员“{member}”——请加上，例如“{member}: {example}”。", "The member '{member}' is missing — add it, e.g. '{member}: {example}'."),
    "file_member_misspelt": _file("没有成员“{member}”——请写“{suggestion}”。", "There is no member '{member}' — write '{suggestion}'."),
    "file_member_unknown": _file("没有成员“{member}”——请删去；这里还可以写：{allowed}。", "There is no member '{member}' — delete it; what may still stand here: {allowed}."),
    "file_kind_missing": _file("缺少“{member}”——请写明其一：{allowed}。", "'{member}' is missing — say which of these it is: {allowed}."),
    "file_value_missing": _file("这里没有值——请填写，例如 {example}；不需要就整行删去。", "Nothing stands here — write a value, e.g. {example}, or delete the line if it is not needed."),
    "file_not_mapping": _file("这里应是一组成员——请换行缩进，逐行写“名称: 值”，例如“{example}”。", "This should be a group of members — write 'name: value' lines indented below, e.g. '{example}'."),
    "file_not_list": _file("“{member}”应是清单——请写成 [甲, 乙]，或逐行以“- ”开头。", "'{member}' should be a list — write [one, two], or one item per line after '- '."),
    "file_not_single": _file("这里应是单个值——不要写清单或成员。", "This should be a single value — write it directly, without a list or members."),
    "file_list_too_long": _file("清单有 {count} 项，超过 {limit}——请缩短。", "The list has {count} items, more than {limit} — shorten it."),
    "file_list_empty": _file("清单是空的——至少写一项。", "The list is empty — write at least one item."),
    "file_text_unquoted": _file("“{given}”会被读成数字、真假值或空值——请加引号：\"{given}\"。", "{given} is read as a number, a truth value or nothing — put it in quotes: \"{given}\"."),
    "file_text_too_long": _file("文字有 {length} 个字符，超过 {limit}——请缩短。", "The text has {length} characters, more than {limit} — shorten it."),
    "file_text_empty": _file("文字是空的——请填写。", "The text is blank — write something."),
    "file_not_choice": _file("不能写“{given}”——可选：{allowed}。", "'{given}' is not possible here — write one of: {allowed}."),
    "file_not_boolean": _file("“{given}”不是 true 或 false——请写小写、不加引号的 true 或 false。", "'{given}' is not true or false — write true or false in lower case, without quotes."),
    "file_not_date": _file("“{given}”不是日期——请写成 \"2023-10-01\" 这样的年-月-日。", "'{given}' is not a date — write year-month-day like \"2023-10-01\"."),
    "file_not_integer": _file("“{given}”不是整数——请只写数字，例如 3000。", "'{given}' is not a whole number — write digits alone, e.g. 3000."),
    "file_float": _file("“{given}”带小数——这里只能写整数，请去掉小数部分。", "{given} has decimals — only whole numbers stand here; write it without them."),
    "file_amount_not_fen": _file("“{given}”不是以分为单位的整数——金额以分计，请写 {fen}。", "'{given}' is not a whole number of fen — amounts are in fen; write {fen}."),
    "file_digits_not_ascii": _file("“{given}”用了全角或其他文字的数字——请用半角 0 至 9。", "'{given}' uses digits of another script or width — type the plain digits 0 to 9."),
    "file_integer_quoted": _file("数字 \"{given}\" 加了引号——请去掉：{given}。", "The number \"{given}\" is in quotes — write it without: {given}."),
    "file_integer_grouped": _file("“{given}”里有分隔符——请写 {plain}。", "'{given}' has separators — write {plain}."),
    "file_integer_padded": _file("“{given}”以零或加号开头——请去掉，零开头的数会被读成八进制。", "'{given}' begins with a zero or a plus — leave that out; some tools read it as octal."),
    "file_number_huge": _file("“{given}”超过 {digits} 位——请检查数值。", "{given} has more than {digits} digits — check the number."),
    "file_out_of_range": _file("{given} 超出范围——请写 {low} 至 {high} 之间的整数。", "{given} is out of range — write a whole number from {low} to {high}."),
    "file_amount_out_of_range": _file("{given} 分（{given_fen}）超出范围——请写 {low} 至 {high} 分（至多 {high_fen}）。", "{given} fen ({given_fen}) is out of range — write {low} to {high} fen (at most {high_fen})."),
}  # fmt: skip

_NAMES: dict[str, Code] = {
    "file_id_form": _file("编号“{given}”格式不对——请用 1 至 40 个小写字母、数字和连字符，以字母或数字开头，例如 {example}。", "The id '{given}' is badly formed — use 1 to 40 lower-case letters, digits and hyphens, beginning with a letter or digit, e.g. {example}."),
    "file_class_form": _file("叠加类别“{given}”格式不对——请用 1 至 32 个小写字母、数字、连字符或下划线，例如 {example}。", "The stacking class '{given}' is badly formed — use 1 to 32 lower-case letters, digits, hyphens or underscores, e.g. {example}."),
    "file_label_form": _file("“{given}”格式不对——请用 1 至 40 个字母、数字、汉字、连字符或下划线，例如 {example}。", "'{given}' is badly formed — use 1 to 40 letters, digits, Chinese characters, hyphens or underscores, e.g. {example}."),
    "file_item_doubled": _file("“{given}”重复了——只留一个。", "'{given}' stands twice — keep one of them."),
    "file_place_form": _file("“{given}”不是地区代码——请写 GB/T 2260 代码的 2、4、6 位或街镇 9 位有效数字，例如 \"370124\"。", "'{given}' is not a region code — write 2, 4 or 6 digits of GB/T 2260, or 9 for a township, e.g. \"370124\"."),
    "file_place_digits": _file("“{given}”末尾的零没有意义——请写有效数字 \"{significant}\"。", "The zeros at the end of '{given}' mean nothing — write the significant digits \"{significant}\"."),
    "file_place_unknown": _file("没有地区“{given}”——请核对 GB/T 2260 代码；最近的上级是 {parent}。", "There is no region '{given}' — check the GB/T 2260 code; the nearest one above is {parent}."),
    "file_place_outside": _file("“{given}”不在活动地区（{places}）之内——请改正，或把它加入 places。", "'{given}' lies outside the campaign's places ({places}) — correct it, or add it to places."),
    "file_places_nested": _file("“{given}”在“{outer}”之内，报名人只算其中较小的一个，较大的名额对其无效——名额请写在同一级。", "'{given}' lies within '{outer}'; an entrant counts for the smaller one alone, so the larger quota is lost to them — keep all quotas on one level."),
    "file_scenario_unknown": _file("没有场景“{given}”——可选：{allowed}。", "There is no scenario '{given}' — write one of: {allowed}."),
    "file_scenario_place": _file("“{given}”是一个地方，不是支付内容——请写进 merchants.zones，并另选场景：{allowed}。", "'{given}' is a place, not what is paid for — make it a zone under merchants.zones and choose a scenario: {allowed}."),
    "file_scenario_issuing": _file("“{given}”说的是发放补贴，不是支付什么——请选场景：{allowed}。", "'{given}' says that value is handed out, not what is paid for — choose a scenario: {allowed}."),
    "file_scenario_carrier": _file("“{given}”是凭证介质，不是支付内容——请选场景：{allowed}。", "'{given}' is a card that holds value, not what is paid for — choose a scenario: {allowed}."),
    "file_scenario_not_spendable": _file("“{given}”不能用消费券支付——请选场景：{allowed}。", "A consumer voucher cannot be spent on '{given}' — choose a scenario: {allowed}."),
    "file_mcc_form": _file("“{given}”不是商户类别码——请写四位数字，例如 \"5411\"。", "'{given}' is not a merchant category code — write four digits, e.g. \"5411\"."),
    "file_time_zone_unknown": _file("没有时区“{given}”——请写 Asia/Shanghai 这样的名称。", "There is no time zone '{given}' — write a name like Asia/Shanghai."),
}  # fmt: skip

_TIMES: dict[str, Code] = {
    "file_time_form": _file("“{given}”不是当地时间——请写 \"2023-10-01 18:00\"，零点可写 24:00。", "'{given}' is not a local time — write \"2023-10-01 18:00\"; 24:00 is the next midnight."),
    "file_window_empty": _file("结束（{end}）不晚于开始（{start}）——请把结束时间写在开始之后。", "The end ({end}) is not after the start ({start}) — write an end after the start."),
    "file_window_too_long": _file("使用期有 {days} 天，超过 {limit}——请缩短。", "The spending window has {days} days, more than {limit} — shorten it."),
    "file_window_missing": _file("这种发放方式需要 windows.{member}——请加上“{member}: {example}”。", "This way of issuing needs windows.{member} — add '{member}: {example}'."),
    "file_window_unused": _file("这种发放方式没有 {member} 阶段——请删去。", "This way of issuing has no {member} stage — delete it."),
    "file_windows_overlap": _file("{later} 于 {start} 开始，早于 {earlier} 结束的 {end}——请写 {end} 或更晚。", "{later} starts at {start}, before {earlier} ends at {end} — write {end} or later."),
    "file_acceptance_after_spending": _file("领取期到 {given} 才结束，晚于使用期结束的 {end}——领到也无法使用，请写 {end} 或更早。", "Acceptance ends at {given}, after spending ends at {end} — what is accepted then cannot be spent; write {end} or earlier."),
    "file_source_outside_draw": _file("随机源截止时间 {given} 不在抽签期 {start} 至 {end} 之内——请改到其内。", "The source is due at {given}, outside the draw window {start} to {end} — choose a time within it."),
    "file_sources_unordered": _file("随机源截止时间 {given} 不晚于前一个的 {before}——请按时间先后排列。", "The source is due at {given}, not after the one before it ({before}) — list the sources in order of time."),
    "file_sources_choosable": _file("所有随机源都可能被人选定或扣下——请加上 drand（演示用 rehearsal）。", "Somebody could choose or withhold every one of these sources — add drand (rehearsal in a demonstration)."),
    "file_source_last_choosable": _file("最后到的随机源 {given} 可能被人扣下——请把 {beacon} 的截止时间排在最后。", "The last source, {given}, could be withheld by somebody who has seen the others — give {beacon} the latest due time."),
    "file_source_before_genesis": _file("{given} 时 {kind} 还没有随机数（始于 {genesis}）——请改用更晚的时间；历史活动的演示用 rehearsal。", "{kind} has no randomness at {given} yet (it began on {genesis}) — choose a later time; a demonstration in the past uses rehearsal."),
    "file_opening_after_spending": _file("场次 {given} 不早于使用期结束的 {end}——请改到其前。", "The opening at {given} is not before spending ends at {end} — choose an earlier time."),
    "file_openings_unordered": _file("场次 {given} 早于前一场 {before}——请按时间先后排列。", "The opening at {given} is before the one above it ({before}) — list the openings in order of time."),
    "file_hours_form": _file("“{given}”不是时段——请写 \"10:00-22:00\"；跨零点的写成两段。", "'{given}' is not a range of hours — write \"10:00-22:00\"; write two ranges for a night."),
    "file_hours_overlap": _file("时段“{given}”与“{before}”重叠或次序颠倒——请合并或按先后排列。", "The hours '{given}' overlap '{before}' or stand in the wrong order — join them or put them in order."),
    "file_blackout_outside": _file("不可用日期 {given} 不在使用期 {start} 至 {end} 之内——请删去或改正。", "The blackout date {given} is outside the spending window {start} to {end} — delete or correct it."),
    "file_never_spendable": _file("按星期和不可用日期，使用期内没有一天可用——请放宽 weekdays 或 blackout_dates。", "With these weekdays and blackout dates no day of the spending window is left — widen weekdays or blackout_dates."),
    "file_holidays_missing": _file("没有 {year} 年的放假安排——请按国务院通知写在 terms.holidays 下：\"{year}\": {{holidays: [\"{year}-01-01\"], workdays: []}}。", "The public holidays of {year} are not known — write them under terms.holidays from the State Council's notice: \"{year}\": {{holidays: [\"{year}-01-01\"], workdays: []}}."),
    "file_holidays_year": _file("“{given}”不是年份——请写四位年份，例如 \"2027\"。", "'{given}' is not a year — write four digits, e.g. \"2027\"."),
    "file_holiday_other_year": _file("{given} 不属于 {year} 年——请移到它所在的年份之下。", "{given} is not in {year} — move it under its own year."),
    "file_holiday_and_workday": _file("{given} 既是放假又是补班——只留一处。", "{given} is both a holiday and a workday — keep it in one list."),
}  # fmt: skip

_MONEY: dict[str, Code] = {
    "file_shares_sum": _file("份额合计 {sum}，不是 10000——请改动 {difference}（万分之几），使合计为 10000。", "The shares add up to {sum}, not to 10,000 — change them by {difference} basis points."),
    "file_over_budget": _file("计划发放 {planned_fen}，超出预算 {budget_fen}——请把 budget_fen 写到 {planned} 或以上，或减少份数。", "The plan hands out {planned_fen}, more than the budget of {budget_fen} — write budget_fen: {planned} or more, or plan fewer vouchers."),
    "file_too_many_vouchers": _file("计划 {count} 份，超过 {limit}——请减少份数或分成几个活动。", "The plan has {count} vouchers, more than {limit} — plan fewer, or several campaigns."),
    "file_split_bounds": _file("low_fen {low} 大于 high_fen {high}——请对调。", "low_fen {low} is above high_fen {high} — exchange them."),
    "file_split_infeasible": _file("{count} 份、每份 {low} 至 {high} 分，合计不可能是 {given}——total_fen 请写 {least} 至 {most}。", "{count} vouchers of {low} to {high} fen cannot add up to {given} — write a total_fen from {least} to {most}."),
    "file_quotas_sum": _file("地区名额合计 {sum}，份数是 {count}——请使两者相等。", "The quotas add up to {sum} but count is {count} — make them equal."),
    "file_quotas_draw_only": _file("地区名额只用于抽签——请删去 quotas。", "Quotas belong to a draw only — delete them."),
    "file_quota_not_registrable": _file("报名人不能选“{given}”，该名额永远用不上——请写进 registration.places，或删去该名额。", "No entrant can name '{given}', so the quota could never be used — add it to registration.places or delete the quota."),
    "file_per_person_draw": _file("抽签每人只能中一份——请写 per_person: 1。", "A person wins at most once in a draw — write per_person: 1."),
    "file_tier_unknown": _file("没有档次“{given}”——可选：{allowed}。", "There is no tier '{given}' — write one of: {allowed}."),
    "file_openings_exceed": _file("档次 {tier} 各场次合计 {sum} 份，超过 {count}——请减少场次份数或提高 count。", "The openings hand out {sum} of tier {tier}, more than its {count} — reduce them or raise count."),
    "file_max_entries_low": _file("最多报名 {given} 人，少于 {count} 份——请写 {count} 或以上。", "max_entries is {given}, fewer than the {count} vouchers — write {count} or more."),
    "file_steps_unordered": _file("满减档不是逐级升高（前一档满 {spend_before} 减 {save_before}）——这一档的 spend_fen 和 save_fen 都要更大。", "The steps do not ascend (the one before is {spend_before} and {save_before}) — both spend_fen and save_fen must be larger here."),
    "file_step_saves_all": _file("减 {save_fen} 多于满 {spend_fen}——save_fen 请写 {spend} 或更小。", "It saves {save_fen} on {spend_fen} — write a save_fen of {spend} or less."),
    "file_step_unreachable": _file("最低消费 {min_spend_fen} 高于第一档的 {spend_fen}，该档永远用不上——请降低 min_spend_fen 或删去该档。", "min_spend_fen ({min_spend_fen}) is above the first step ({spend_fen}), which can never apply — lower it or delete the step."),
    "file_step_above_face": _file("最高档减 {save_fen}，但最大面额只有 {face_fen}，承诺无法兑现——save_fen 请写 {face} 或更小。", "The highest step saves {save_fen} but the largest voucher is worth {face_fen}, so the promise cannot be kept — write a save_fen of {face} or less."),
    "file_step_above_max_per_use": _file("最高档减 {save_fen}，但单笔最多 {max_fen}，承诺无法兑现——max_per_use_fen 请写 {save} 或以上。", "The highest step saves {save_fen} but a payment may take {max_fen} at most, so the promise cannot be kept — write max_per_use_fen: {save} or more."),
    "file_cap_empty": _file("这条限制没有写次数或金额——请加上 uses 或 amount_fen。", "This cap limits nothing — add uses or amount_fen."),
    "file_cap_doubled": _file("{scope} 每 {period} 的限制已经写过——请合并成一条。", "A cap for {scope} per {period} stands already — join the two."),
    "file_cap_pointless": _file("每 {period} 的 {member} {given} 大于每 {longer} 的 {less}，永远达不到——请写 {less} 或更小。", "The {member} per {period} ({given}) is above the {member} per {longer} ({less}) and can never be reached — write {less} or less."),
}  # fmt: skip

CODES: dict[str, Code] = {**_WHOLE, **_SHAPE, **_NAMES, **_TIMES, **_MONEY}
