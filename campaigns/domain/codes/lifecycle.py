"""Codes of a campaign's life: definition, money, approval, publication, merchants, people."""

from campaigns.domain.codes.model import Code


def _refused(zh: str, en: str) -> Code:
    return Code("refused", 409, zh, en)


def _invalid(zh: str, en: str) -> Code:
    return Code("invalid", 422, zh, en)


_CAMPAIGN: dict[str, Code] = {
    "wrong_state": _refused("当前为“{state}”，不能{verb}；现在可以：{possible}。", "Not possible while it is {state}: {verb}. Possible now: {possible}."),
    "rush_not_available": _refused("抢领方式尚未开放，不能发布。", "Rush campaigns cannot be published yet: use a draw or a list."),
    "rehearsal_not_allowed": _refused("演练信标只能用于演示或测试环境，请在活动文件中改用 kind: drand。", "The rehearsal beacon is for demonstrations and tests only: write kind: drand in the campaign file."),
    "code_taken": _refused("编号“{given}”已被使用，请另选一个。", "The code '{given}' is taken: choose another one."),
    "other_programme": _invalid("活动文件属于“{given}”，当前试点方案是“{programme}”。", "The campaign file belongs to '{given}', this programme is '{programme}'."),
    "author_cannot_approve": _refused("编制人不能审批自己的活动，请由另一位审批人办理。", "The author cannot approve their own campaign: another approver must."),
    "funding_not_planned": _refused("计划中没有 {funder} 在 {operator} 的出资。", "The plan has no money of {funder} at {operator}."),
    "funding_over_plan": _refused("计划 {planned_fen}，已到账 {funded_fen}，再入账 {given_fen} 将超出计划。", "{planned_fen} are planned and {funded_fen} are there: {given_fen} more would be too much."),
    "not_fully_funded": _refused("资金尚未到齐：计划 {planned_fen}，已到账 {funded_fen}。", "Not fully funded: {funded_fen} of {planned_fen} are there."),
    "too_late_to_publish": _refused("{window}时间已于 {ends} 结束，不能再发布；草稿请改日期；已审批的请关闭以退回资金，再以新编号重新建立。", "Too late to publish: {window} ended at {ends}. Give a draft later dates; close a campaign that is approved, which gives its money back, and create one anew."),
    "close_too_early": _refused("使用期至 {ends}，其后才能关闭。", "Too early: the campaign can be closed after spending ends at {ends}."),
    "close_value_alive": _refused("还有 {awards} 份待领取、{vouchers} 张有效消费券、{holds} 笔预授权，不能关闭；到期的由运行中的 hongbao serve 在数秒内自动收回。", "It cannot be closed while {awards} awards, {vouchers} vouchers and {holds} holds are alive; those whose time is over end within seconds while `hongbao serve` runs."),
    "close_draw_unfinished": _refused("还有 {draws} 次抽签未完成，不能关闭。", "It cannot be closed while {draws} draws are unfinished."),
    "terms_change_other": _invalid("修改规则时不能改动其他内容：{members}。", "A change of terms leaves the rest as it is; these differ: {members}."),
    "terms_narrowed": _refused("规则只能放宽，以下内容收窄了：{members}。", "Terms may only widen; these are narrower: {members}."),
    "terms_unchanged": _invalid("规则没有变化。", "These are the terms already."),
}  # fmt: skip

_OFFICE: dict[str, Code] = {
    "role_unknown": _invalid("没有角色“{role}”，可选：{allowed}。", "There is no role '{role}': choose from {allowed}."),
    "scope_not_for_kind": _invalid("“{kind}”密钥不能有“{scope}”权限，可选：{allowed}。", "A key of kind '{kind}' cannot have the scope '{scope}': choose from {allowed}."),
    "own_roles": _refused("不能修改本人的角色，请由另一位管理员办理。", "Nobody changes their own roles: another administrator must."),
}  # fmt: skip

_MERCHANTS: dict[str, Code] = {
    "import_invalid": _invalid("导入内容有 {count} 处问题，未导入任何一行；第一处：{first_zh}", "Nothing was imported. Problems found: {count}; the first: {first_en}"),
    "import_not_text": _invalid("文件编码无法识别，请存为 UTF-8 或 GB18030。", "The file's encoding is unknown: save it as UTF-8 or GB18030."),
    "import_column_missing": _invalid("缺少列“{column}”。", "The column '{column}' is missing."),
    "import_column_unknown": _invalid("没有列“{column}”，可用的列：{allowed}。", "There is no column '{column}'; known columns: {allowed}."),
    "import_cells": _invalid("这一行有 {found} 格，表头有 {wanted} 格。", "This line has {found} cells, the head has {wanted}."),
    "import_value": _invalid("“{column}”的值“{given}”有误，应为：{detail}", "'{given}' is wrong for {column}; wanted: {detail}"),
    "import_empty": _invalid("没有数据行。", "There are no lines of data."),
    "import_too_many": _invalid("一次最多导入 {limit} 行。", "At most {limit} lines at once."),
    "credit_code_invalid": _invalid("统一社会信用代码“{given}”不正确，请核对 18 位字符。", "'{given}' is not a unified social credit code: check its 18 characters."),
    "place_unknown": _invalid("没有地区“{given}”，请写 GB/T 2260 代码的有效数字。", "There is no region '{given}': write the significant digits of a GB/T 2260 code."),
    "scenario_unknown": _invalid("没有可消费的场景“{given}”，可选：{allowed}。", "There is no spendable scenario '{given}': choose from {allowed}."),
    "mcc_invalid": _invalid("商户类别码“{given}”须为四位数字。", "The merchant category code '{given}' must be four digits."),
    "operator_unknown": _invalid("没有运营机构“{given}”。", "There is no operator '{given}'."),
    "position_half": _invalid("经度和纬度须同时填写。", "Give latitude and longitude together or neither."),
    "line_doubled": _invalid("与第 {first_line} 行重复。", "The same as line {first_line}."),
    "merchant_differs": _invalid("同一商户“{given}”在第 {first_line} 行写法不同。", "The merchant '{given}' is written differently on line {first_line}."),
}  # fmt: skip

_PEOPLE: dict[str, Code] = {
    "proof_invalid": _invalid("{kind}的内容不正确。", "The proof of kind {kind} is not well-formed."),
    "proofs_disagree": _refused("所给证明属于不同的人，请到办公室核实。", "These proofs belong to different people: the office must look at them."),
    "proof_taken": _refused("该证明已绑定他人。", "This proof belongs to somebody else."),
    "token_taken": _refused("该凭证已绑定他人。", "This token is bound to somebody else."),
    "identifying_proof_missing": _invalid("须提供{kind}。", "A proof of kind {kind} is needed."),
    "wallet_bound": _refused("该运营机构的钱包已绑定。", "A wallet at this operator is bound already."),
    "list_rows_invalid": _invalid("名单有 {count} 处问题，本批未发放；第一处：{first_zh}", "Nothing of this batch was issued. Problems found: {count}; the first: {first_en}"),
    "list_person_doubled": _invalid("此人在本次名单中已列满 {most} 份（首见第 {first_line} 行）。", "This person has {most} lines already (the first is line {first_line})."),
    "list_person_had": _invalid("此人已领过，每人最多 {most} 份。", "This person has been issued the most of {most} already."),
    "list_person_unknown": _invalid("查无此人。", "There is no such person."),
    "list_row_subject": _invalid("每行须写 person_id 或 proofs 之一。", "Name each line's person by person_id or by proofs, one of the two."),
    "tier_unknown": _invalid("没有档次“{given}”，可选：{allowed}。", "There is no tier '{given}': choose from {allowed}."),
    "not_a_list": _refused("这不是名单活动（发放方式：{method}）。", "This campaign does not issue by list but by {method}."),
    "list_not_open": _refused("尚未到发放时间，{starts} 开始。", "Too early: the list is issued from {starts}."),
    "list_over": _refused("发放时间已于 {ends} 结束。", "Too late: the time to issue the list ended at {ends}."),
    "allotments_exhausted": _refused("档次“{tier}”只剩 {left} 份，名单需要 {wanted} 份。", "The tier '{tier}' has {left} left, the list needs {wanted}."),
}  # fmt: skip

CODES: dict[str, Code] = {**_CAMPAIGN, **_OFFICE, **_MERCHANTS, **_PEOPLE}
