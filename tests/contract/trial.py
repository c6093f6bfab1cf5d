"""One run of schemathesis over the whole document, told operation by operation."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

from tests.contract.acts import ANSWER_SECONDS
from tests.contract.feeding import Feeder
from tests.contract.server import Target
from tests.contract.world import Known

SLOW = ("/v1/campaigns/{campaign_id}/report.html",)  # seconds of drawing each
STATEFUL = "stateful"
REFUSALS = ["400", "401", "403", "404", "405", "409", "410", "413", "415", "422", "429", "431"]
PHASES = ("examples", "coverage", "fuzzing", STATEFUL)
ID_SHARE = 0.7
PERSON_SHARE = 0.9
MOST_SHOWN = 1_500
MOST_ROUNDS = 500
# What the document has told in full: a request that keeps to it is never refused with one of these.
TOLD = (
    "body_invalid", "body_malformed", "query_invalid", "media_type_wrong", "idempotency_key_bad",
    "idempotency_key_missing",
)  # fmt: skip
# What JSON Schema cannot say: 5.0 is an integer to it, a cursor is made by the list alone, and a query has no either-or.
NOT_TELLABLE = re.compile(
    r"Expected `int[ |a-z]*`, got `float`|not a cursor of this list|either a day, or from and to"
)


@dataclass(frozen=True)
class Asked:
    """How much is tried: examples per operation, sequences of calls that follow links, in which phases, from which seed.

    ``only`` is a pattern that names of operations have; ``slow_examples`` are those of operations that are `SLOW`.

    A server that remembers makes hypothesis give a sequence up where it repeats one and hears something else, so the
    sequences come in rounds, each with the next seed, until there are enough.
    """

    seed: int
    examples: int
    phases: tuple[str, ...] = PHASES
    scenarios: int = 0
    only: str | None = None
    slow_examples: int | None = None


@dataclass
class Found:
    """What came of a run: how often each operation was called and answered what, and each finding once."""

    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    findings: dict[tuple[str, str, str], str] = field(default_factory=dict)
    cases_by_phase: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    scenarios: int = 0

    @property
    def cases(self) -> int:
        return sum(sum(told.values()) for told in self.answers.values())


@schemathesis.check
def document_tells_all(ctx: CheckContext, response: Response, case: Any) -> bool | None:
    """A request that is right by the document is not refused for its form."""
    if (
        case.meta is None
        or case.meta.generation.mode.is_negative
        or response.status_code not in (400, 415, 422)
    ):
        return None
    said = response.json()
    if NOT_TELLABLE.fullmatch(str(said.get("facts", {}).get("detail"))):
        return None
    assert said.get("code") not in TOLD, f"right by the document, and refused: {response.text[:MOST_SHOWN]}"
    return None


def run(target: Target, asked: Asked, tell: Callable[[str], None]) -> Found:
    """Send everything; ``tell`` hears a line per operation and phase. Findings are data, not errors."""
    document = httpx.get(f"{target.address}/v1/openapi.json", trust_env=False, timeout=ANSWER_SECONDS).json()
    _keep(document, asked.only)
    feeder = Feeder(target.address, target.known, target.routes, asked.seed)
    found = Found()
    single = tuple(phase for phase in asked.phases if phase != STATEFUL)
    hooks = {"before_call": feeder.before_call, "after_call": feeder.after_call}
    for name, hook in hooks.items():
        GLOBAL_HOOK_DISPATCHER.register_hook_with_name(hook, name)
    try:
        if single:
            _execute(_schema(target, feeder, document, replace(asked, phases=single)), found, tell)
        for number in range(MOST_ROUNDS if STATEFUL in asked.phases else 0):
            if found.scenarios >= asked.scenarios:
                break
            round_ = replace(asked, seed=asked.seed + number, phases=(STATEFUL,))
            _execute(_schema(target, feeder, document, round_), found, tell)
    finally:
        for hook in hooks.values():
            GLOBAL_HOOK_DISPATCHER.unregister(hook)
        feeder.close()
    return found


def _keep(document: dict[str, Any], only: str | None) -> None:
    """Leave the operations whose name has the pattern ``only``."""
    for path, item in document["paths"].items():
        for method in list(item):
            if only is not None and not re.search(only, f"{method.upper()} {path}"):
                del item[method]


def _schema(target: Target, feeder: Feeder, document: dict[str, Any], asked: Asked) -> Any:
    config = SchemathesisConfig.from_dict(_config(target, feeder, document, asked))
    return schemathesis.openapi.from_dict(document, config=config)


def _execute(schema: Any, found: Found, tell: Callable[[str], None]) -> None:
    for event in from_schema(schema).execute():
        _note(event, found, tell)


def _note(event: events.EngineEvent, found: Found, tell: Callable[[str], None]) -> None:
    match event:
        case events.ScenarioFinished():
            before = len(found.findings)
            _record(event.recorder, event.phase.value, found)
            found.scenarios += event.phase.value == STATEFUL and bool(event.recorder.interactions)
            if event.phase.value in PHASES:
                tell(_line(event, len(found.findings) - before))
        case events.NonFatalError():
            found.findings["error", event.label, str(event.info.title)] = event.info.format()[:MOST_SHOWN]
        case events.FatalError():
            raise event.exception


def _line(event: events.ScenarioFinished, new: int) -> str:
    told = Counter(
        str(one.response.status_code) for one in event.recorder.interactions.values() if one.response
    )
    statuses = " ".join(f"{status}:{count}" for status, count in sorted(told.items()))
    return f"{event.phase.value:<9}  {event.label or '-':<58}  {sum(told.values()):>5}  {new:>5}  {statuses}"


def _record(recorder: ScenarioRecorder, phase: str, found: Found) -> None:
    for case_id, interaction in recorder.interactions.items():
        label = recorder.cases[case_id].value.operation.label
        if interaction.response is None:
            found.findings["no answer", label, ""] = f"{interaction.request.method} {interaction.request.uri}"
            continue
        found.answers[label][interaction.response.status_code] += 1
        found.cases_by_phase[phase] += 1
    for case_id, checks in recorder.checks.items():
        label = recorder.cases[case_id].value.operation.label
        found.checks += len(checks)
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                key = (check.name, label, failure.title)
                if key not in found.findings:
                    text = f"{failure.message[:MOST_SHOWN]}\n{check.failure_info.code_sample[:MOST_SHOWN]}"
                    found.findings[key] = text


def _config(target: Target, feeder: Feeder, document: dict[str, Any], asked: Asked) -> dict[str, Any]:
    operations = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            key = feeder.key_of(f"{method.upper()} {path}")
            settings: dict[str, Any] = {"include-operation-id": operation["operationId"]}
            if key is not None:
                settings["headers"] = {"Authorization": f"Bearer {key}"}
            if asked.slow_examples is not None and path in SLOW:
                settings["generation"] = {"max-examples": asked.slow_examples}
            if len(settings) > 1:
                operations.append(settings)
    dictionaries, parameters = _words(target.known)
    return {
        "base-url": target.address,
        "seed": asked.seed,
        "continue-on-failure": True,
        "request-timeout": ANSWER_SECONDS,
        "dictionaries": dictionaries,
        "parameters": parameters,
        "operations": operations,
        "warnings": False,
        "checks": {
            # 404 and 409 are rules, not the document's; its own refusals are looked at by `document_tells_all`.
            "positive_data_acceptance": {"enabled": False},
            # Who may ask, and for whom, is judged before the request key.
            "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "422"]},
            "negative_data_rejection": {"expected-statuses": REFUSALS},
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503", "504"]},
        },
        "generation": {"max-examples": asked.examples, "database": "none", "with-security-parameters": False, "no-shrink": False},
        "phases": {
            **{name: {"enabled": name in asked.phases} for name in PHASES if name != "stateful"},
            "stateful": {"enabled": "stateful" in asked.phases, "generation": {"max-examples": max(asked.scenarios, 1)}},
        },
    }  # fmt: skip


def _words(known: Known) -> tuple[dict[str, Any], dict[str, Any]]:
    """What exists, by parameter, and how often it is asked for instead of something made up."""
    dictionaries: dict[str, Any] = {name: {"values": values} for name, values in known.ids.items() if values}
    parameters = {f"path.{name}": {"dictionary": name, "probability": ID_SHARE} for name in dictionaries}
    dictionaries |= {"persons": {"values": known.persons}, "draw_files": {"values": known.draw_files}}
    parameters["header.Hongbao-Person"] = {"dictionary": "persons", "probability": PERSON_SHARE}
    dictionaries["codes"] = {"values": ["not_found", "uses_exhausted", "busy"]}
    parameters["path.code"] = {"dictionary": "codes", "probability": ID_SHARE}
    parameters["path.name"] = {"dictionary": "draw_files", "probability": ID_SHARE}
    return dictionaries, parameters
