"""Registration and the draw: residents enter day by day, the list is frozen, sources speak, winners are awarded."""

import hashlib
from datetime import datetime, timedelta
from itertools import groupby

from api.demo.residents import Resident, residents
from api.demo.stage import Stage, steady
from campaigns.domain.errors import Refused
from campaigns.domain.windows import parse_window
from campaigns.services.accepting import grant_ticked
from campaigns.services.awarding import award_draw
from campaigns.services.ceremony import make_draw, rehearse_beacon, reveal_office
from campaigns.services.draw_answer import DrawAnswer, read_draw_file, show_draw
from campaigns.services.entering import EnterLine
from campaigns.services.exporting import publish_folder
from campaigns.services.freezing import FreezeDraw, freeze_draw
from campaigns.services.people import Identify, IdentifyMany, Proof, identify_many
from campaigns.services.simulating import StatedEntry, enter_stated


async def _draw(stage: Stage) -> DrawAnswer:
    return await steady(lambda: show_draw(stage.ctx, stage.draw_id))


async def register(stage: Stage) -> int:
    """Let everybody enter, a day at a time and by bulk; answers how many residents there are."""
    window = stage.definition.windows.registration
    assert window is not None
    start, end = parse_window(window.start, window.end, stage.zone)
    everybody = residents(stage.behaviour, stage.made.seed, stage.entries, start, end, stage.zone)
    if (await _draw(stage)).state != "open" or await stage.now() >= end:
        return len(everybody)  # the clock passes the end only when everybody has entered
    done = 0
    for day, group in groupby(everybody, key=lambda resident: resident.at.date()):
        people = list(group)
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), stage.zone)
        await stage.clock_to(min(midnight, end - timedelta(minutes=1)))
        await _enter(stage, people)
        done += len(people)
        await stage.show.percent(done, len(everybody))
    return len(everybody)


async def _enter(stage: Stage, people: list[Resident]) -> None:
    ctx, channel = stage.ctx, stage.channel
    proofs = IdentifyMany(
        people=tuple(Identify(proofs=(Proof(kind="phone", value=p.phone),)) for p in people)
    )
    known = await steady(lambda: identify_many(ctx, channel, None, proofs))
    stated = [
        StatedEntry(
            line=EnterLine(person_id=person_id, place=one.place, accept_if_won=one.accept_if_won),
            code=one.code,
            entered_at=one.at,
        )
        for one, person_id in zip(people, known.person_ids, strict=True)
    ]
    await steady(lambda: enter_stated(ctx, channel, stage.campaign_id, stated))


async def freeze(stage: Stage) -> None:
    """Close entries and publish the commitment, with an office secret that the seed gives."""
    if (await _draw(stage)).state != "open":
        return
    await stage.clock_to(stage.at("freeze"))
    drawer = stage.staff["draw"]
    secret = hashlib.sha256(f"{stage.made.seed}|office".encode()).digest()
    asked = stage.asked(drawer, "freeze")
    await steady(
        lambda: freeze_draw(
            stage.ctx, drawer, asked, stage.campaign_id, FreezeDraw(), rehearsed_secret=secret
        )
    )


async def draw(stage: Stage) -> None:
    """The sources give their values, the beacon is verified, the draw is made and the winners are awarded."""
    ctx, drawer, draw_id = stage.ctx, stage.staff["draw"], stage.draw_id
    found = await _draw(stage)
    if found.state == "frozen":
        await stage.clock_to(stage.at("reveal"))
        for act, moment in ((reveal_office, "reveal"), (rehearse_beacon, "beacon")):
            await stage.clock_to(stage.at(moment))
            asked = stage.asked(drawer, moment)
            try:
                await steady(lambda: act(ctx, drawer, asked, draw_id))  # noqa: B023
            except Refused as error:
                if error.code != "source_too_late":  # a run taken up too late: the office counts as missing
                    raise
        await stage.show.percent(1, 3)
        await steady(lambda: make_draw(ctx, drawer, stage.asked(drawer, "draw"), draw_id))
        found = await _draw(stage)
    await stage.show.percent(2, 3)
    if found.state == "drawn":
        await stage.clock_to(stage.at("award"))
        await steady(lambda: award_draw(ctx, drawer, stage.asked(drawer, "award"), draw_id))
    await steady(lambda: grant_ticked(ctx, stage.programme_id, stage.campaign_id))
    await steady(lambda: publish_folder(ctx, draw_id))
    for name in ("entries.csv", "winners.csv"):
        stage.folder.put(name, await steady(lambda: read_draw_file(ctx, draw_id, name)))  # noqa: B023
