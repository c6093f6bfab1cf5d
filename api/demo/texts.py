"""What the demonstration says to people, in zh and en."""

from typing import Final, Literal

from campaigns.domain.definition.model import Text

Language = Literal["zh", "en"]

STAGES: Final[dict[str, Text]] = {
    name: Text(zh=zh, en=en)
    for name, zh, en in (
        ("engines", "启动 PostgreSQL 与 Valkey", "Engines start"),
        ("office", "试点方案与人员", "Programme, units, staff"),
        ("campaign", "活动：编制、送审、批准、注资、发布", "Campaign: file, approval, funds, publication"),
        ("merchants", "商户、门店、终端", "Merchants, stores, tills"),
        ("registration", "居民报名", "Residents register"),
        ("freeze", "截止报名并公布名单承诺", "Entries close, list committed"),
        ("draw", "公布随机源并抽签", "Sources, beacon, draw, awards"),
        ("server", "启动 HTTP 服务", "HTTP server starts"),
        ("payments", "领取与消费（经 HTTP）", "Acceptance and payments over HTTP"),
        ("expiry", "到期收回", "What is left expires"),
        ("close", "活动关闭，余款退回出资方", "Campaign closes, money returns"),
        ("report", "成效报告", "Report"),
        ("audit", "账目校验与回执核对", "Audit, acknowledgements checked"),
    )
}

SENTENCES: Final[dict[str, Text]] = {
    name: Text(zh=zh, en=en)
    for name, zh, en in (
        ("resumed", "继续 {path} 中未完成的演示。", "Going on with the demonstration in {path}."),
        (
            "finished",
            "{path} 中的演示已经完成，以下再次显示报告（--fresh 重新开始）。",
            "The demonstration in {path} is finished; here is its report again (--fresh starts anew).",
        ),
        ("refused", "至此被拒（向终端显示的代码）", "Refused so far, by the code the till is told"),
        ("where_time", "时间用在哪里", "Where the time went"),
        ("stage", "阶段", "Stage"),
        ("seconds", "秒", "Seconds"),
        ("figures", "结果", "Figures"),
        ("page", "报告网页：{path}", "The report as a page: {path}"),
        ("address", "HTTP 服务仍在运行：{url}", "The HTTP server keeps running: {url}"),
        ("try", "试一试（另开一个终端）：", "Try it, in another terminal:"),
        ("stop", "按 Ctrl-C 结束。", "Ctrl-C ends it."),
        ("lost", "回执与数据库不符：{count} 项", "Acknowledgements the database does not bear out: {count}"),
        (
            "acknowledged",
            "{count} 项回执逐一核对，全部在账。",
            "{count} acknowledgements checked one by one: every one is in the books.",
        ),
    )
}


def say(name: str, language: Language, **facts: object) -> str:
    """A sentence in the language asked for."""
    text: str = getattr(SENTENCES[name], language)
    return text.format(**facts)
