"""Codes of the draw: entering, freezing, the ceremony, awards."""

from campaigns.domain.codes.model import Code


def _refused(zh: str, en: str) -> Code:
    return Code("refused", 409, zh, en)


CODES: dict[str, Code] = {
    "campaign_not_running": _refused("活动当前未开放（状态：{state}）。", "The campaign is not running now (state: {state})."),
    "no_draw": _refused("本活动不采用抽签方式。", "This campaign has no draw."),
    "registration_not_open": _refused("尚未开始报名：{starts} 开始，{ends} 结束。", "Too early: you can enter from {starts} until {ends}."),
    "registration_over": _refused("报名已于 {ends} 结束。", "Too late: entries ended at {ends}."),
    "registration_still_open": _refused("报名 {ends} 才结束，此前不能截止。", "Entries are open until {ends}: the list cannot be closed before."),
    "entries_closed": _refused("报名已截止。", "The list of entries is closed."),
    "already_entered": _refused("您已报名，编号 {entry}。", "You have entered already: your entry is {entry}."),
    "entry_withdrawn": _refused("您已撤回报名 {entry}，不能再次报名。", "You withdrew your entry {entry}; it cannot be made again."),
    "place_not_eligible": _refused("地区代码 {place} 不在报名范围内。", "Region {place} is not among the places that may enter."),
    "identity_required": _refused("须先提供身份证明（{kind}）。", "Prove who you are first (proof: {kind})."),
    "entries_full": _refused("报名人数已满（{most}）。", "The draw is full: it takes {most} entries."),
    "draw_not_published": _refused("抽签名单尚未公布。", "The draw's list is not published yet."),
    "rehearsal_refused": _refused("演练信标只能用于演示和测试。", "The rehearsal beacon serves demonstrations and tests only."),
    "simulation_refused": _refused("模拟数据只能用于演示和测试。", "Simulated input serves demonstrations and tests only."),
    "sources_too_late": _refused("随机源 {source} 应于 {due} 给出，现在公布名单已来不及，请顺延（delay_minutes；命令行 --delay-minutes）。", "The source {source} is due at {due}, too soon after the list's publication: delay the ceremony by delay_minutes (on the command line --delay-minutes)."),
    "ssq_issue_missing": _refused("须给出双色球期号（七位数字）。", "Name the issue of the state lottery (seven digits)."),
    "commitment_refused": _refused("名单承诺不成立：{detail}", "The commitment cannot be made: {detail}"),
    "source_unknown": _refused("本次抽签没有随机源 {source}。", "This draw has no source '{source}'."),
    "source_received": _refused("随机源 {source} 已收到。", "The source '{source}' has been received already."),
    "source_too_early": _refused("随机源 {source} 须在 {due} 之后给出。", "The source '{source}' is due at {due}, not before."),
    "source_too_late": _refused("随机源 {source} 已过时限 {due}，记为缺失。", "The source '{source}' was due by {due} and counts as missing."),
    "source_wrong": _refused("随机源 {source} 的值有误：{detail}", "The value of the source '{source}' is wrong: {detail}"),
    "beacon_refused": _refused("信标未通过验证（{reason}）：{detail}", "The beacon does not verify ({reason}): {detail}"),
    "sources_awaited": _refused("尚缺随机源：{sources}。", "Still waiting for: {sources}."),
    "acceptance_not_open": _refused("尚未开始领取：{starts} 开始。", "Too early: accept from {starts}."),
    "acceptance_over": _refused("领取已于 {ends} 截止。", "Too late: it could be accepted until {ends}."),
    "award_ended": _refused("该中签资格已结束（{state}）。", "This award has ended ({state})."),
    "draw_folder_failed": Code("broken", 500, "步骤已完成，但公布文件夹未能写入，请用同一 Idempotency-Key 重试：{detail}", "The step is done, but its folder could not be written; repeat with the same Idempotency-Key: {detail}"),
    "seal_broken": Code("broken", 500, "密封的单位密钥无法打开，请检查密钥文件。", "The office's sealed secret does not open: check the key file."),
}  # fmt: skip
