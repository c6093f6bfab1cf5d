"""A bounded run of schemathesis against a real server; `make contract` is the whole one."""

from pathlib import Path

import pytest

from api.routes import all_routes
from campaigns.runtime.engines import Engines
from tests.contract.server import serving
from tests.contract.trial import Asked, run

SEED = 20_260_721
LEAST_ANSWERED = 90  # operations that did what they are for at least once; the rest heard refusals alone


@pytest.mark.timeout(600)
def test_the_server_answers_as_its_document_says(engines: Engines, tmp_path: Path) -> None:
    asked = Asked(SEED, examples=10, phases=("fuzzing", "stateful"), scenarios=20, slow_examples=2)
    with serving(engines, tmp_path) as target:
        found = run(target, asked, lambda line: None)
        incidents = target.incidents()
    routes = {route.name: route for route in all_routes()}
    assert found.findings == {} and incidents == []
    assert set(found.answers) == set(routes)
    assert found.scenarios >= asked.scenarios
    answered = [name for name, told in found.answers.items() if told[routes[name].status]]
    assert len(answered) >= LEAST_ANSWERED, sorted(set(routes) - set(answered))
    assert not any(
        told[401] == 0 for name, told in found.answers.items() if name in answered and routes[name].scope
    )
