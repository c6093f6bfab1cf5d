"""Codes about the caller and the request itself, judged at the edge before any rule."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {
    "not_found": Code("refused", 404, "查无此项：{subject}。", "There is no such {subject}."),
    "key_missing": Code("denied", 401, "缺少访问密钥，请在 Authorization 中携带。", "No key given: send it as 'Authorization: Bearer KEY'."),
    "key_unknown": Code("denied", 401, "访问密钥无效或已停用。", "This key is unknown or revoked: ask the programme office for a new one."),
    "scope_missing": Code("denied", 403, "该密钥没有“{scope}”权限。", "This key lacks the scope '{scope}'."),
    "principal_not_allowed": Code("denied", 403, "该类密钥（{kind}）不能用于此操作。", "A key of kind '{kind}' may not do this."),
    "person_missing": Code("invalid", 422, "请用 Hongbao-Person 指明所代表的市民。", "Say for whom you act: send the header Hongbao-Person with the person's id."),
    "idempotency_key_missing": Code("invalid", 400, "缺少 Idempotency-Key，请为每次写操作生成一个唯一值。", "No Idempotency-Key: send one of 1 to 64 visible ASCII characters, new for each intent."),
    "idempotency_key_bad": Code("invalid", 400, "Idempotency-Key 须只出现一次，且为 1 至 64 个可见 ASCII 字符。", "Idempotency-Key must be sent once and be 1 to 64 visible ASCII characters."),
    "idempotency_key_reused": Code("invalid", 422, "该 Idempotency-Key 已用于另一请求，请换新值。", "This Idempotency-Key was used for another request: use a new one."),
    "body_malformed": Code("invalid", 400, "请求正文不是有效的 JSON：{detail}", "The body is not valid JSON: {detail}"),
    "body_text_bad": Code("invalid", 400, "文本含 NUL、孤立代理或无效 UTF-8。", "Text holds NUL, a lone surrogate or bad UTF-8."),
    "body_invalid": Code("invalid", 422, "请求内容有误（{path}）：{detail_zh}", "The body is wrong at {path}: {detail}"),
    "body_too_large": Code("invalid", 413, "请求正文超过 {limit_bytes} 字节。", "The body is larger than {limit_bytes} bytes."),
    "header_too_large": Code("invalid", 431, "请求行与请求头合计超过 {limit_bytes} 字节。", "The request line and headers are together larger than {limit_bytes} bytes."),
    "body_too_slow": Code("invalid", 408, "请求正文传输过慢。", "The body came too slowly: send the request again."),
    "media_type_wrong": Code("invalid", 415, "请求正文类型须为 {wanted}。", "Send the body with Content-Type {wanted}."),
    "request_malformed": Code("invalid", 400, "请求不是有效的 HTTP。", "This is not a valid HTTP request."),
    "query_invalid": Code("invalid", 422, "查询参数 {parameter} 有误：{detail_zh}", "Query parameter {parameter} is wrong: {detail}"),
    "route_unknown": Code("refused", 404, "没有这个地址，接口说明见 /v1/docs。", "There is no such address: /v1/docs lists them."),
    "method_not_allowed": Code("refused", 405, "该地址不支持此方法。", "This address does not take that method."),
    "too_many_requests": Code("try_again", 429, "请求过于频繁，请稍后再试。", "Too many requests: wait and try again."),
    "busy": Code("try_again", 503, "系统繁忙，本次未产生任何影响，请稍后重试。", "Busy; nothing happened. Try again shortly with the same key."),
    "outcome_unknown": Code("try_again", 504, "结果未知，请用同一 Idempotency-Key 重试。", "The outcome is unknown: repeat with the same Idempotency-Key."),
    "internal": Code("broken", 500, "系统内部错误，编号 {incident}。", "Something broke on our side; quote {incident}."),
    "invariant": Code("broken", 500, "账目校验不符（{invariant}），活动已自动暂停。", "An invariant does not hold ({invariant}); the campaign has suspended itself."),
}  # fmt: skip
