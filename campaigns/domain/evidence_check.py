"""Check a file of evidence: nothing but its bytes is asked. Pure. See docs/seals.md.

First that the bytes are as they were written, that each row lies in its block and each block under the newest head;
only then that the rows say what a payment of these terms must say. Who forges all of it ends at another head: hold
the head against one that was published.
"""

from hashlib import sha256
from typing import NamedTuple

import msgspec

from campaigns.domain.evidence import (
    FORMAT,
    NOTE,
    Evidence,
    EvidenceError,
    RowPart,
    decode,
    encode,
    part_digests,
)
from campaigns.domain.evidence_rules import Problem, check_content
from campaigns.domain.seals import Header, SealText, head_of, names, parse_header
from lottery.core.merkle import verify_inclusion

MAX_PROBLEMS = 100


class EvidenceCheck(NamedTuple):
    """What was found: nothing is wrong where ``problems`` is empty. ``notes`` say what could not be judged.

    ``block`` and ``head`` are the newest of the file, to hold against a published one.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    block: int
    head: str
    evidence: Evidence | None


def verify_evidence(data: bytes, head: str | None = None) -> EvidenceCheck:
    """Check the bytes of a file; ``head`` is the published head of the newest block it names, in hexadecimal."""
    try:
        evidence = decode(data)
    except EvidenceError as error:
        return EvidenceCheck((Problem("file", f"it cannot be read: {error}"),), (), 0, "", None)
    problems = _bytes(data, evidence)
    headers, found = _chain(evidence)
    problems += found
    for part in evidence.rows:
        problems += _row(part, headers)
    notes: list[str] = []
    if problems:
        notes.append("what the rows say was not judged, since not all of them are as they were sealed")
    else:
        try:
            problems, notes = check_content(evidence)
        except EvidenceError as error:
            problems = [Problem("rows", str(error))]
    newest = max(headers, default=0)
    shown = head_of(_text(evidence.chain[0])).hex() if evidence.chain else ""
    if head is not None and head.lower() != shown:
        problems.append(Problem("head", f"block {newest} ends in {shown}, and {head} was published"))
    return EvidenceCheck(tuple(problems[:MAX_PROBLEMS]), tuple(notes), newest, shown, evidence)


def _bytes(data: bytes, evidence: Evidence) -> list[Problem]:
    problems = []
    canonical = encode(evidence)
    if canonical != data:
        lines = zip(canonical.split(b"\n"), data.split(b"\n"), strict=False)
        line = next((n for n, (ours, theirs) in enumerate(lines, start=1) if ours != theirs), 0)
        where = f"line {line}" if line else "its length"
        problems.append(Problem("file", f"the bytes are not those that were written: {where}"))
    if (evidence.format, evidence.note) != (FORMAT, NOTE):
        problems.append(Problem("format", f"it is not {FORMAT}"))
    digests = part_digests(evidence)
    problems += [
        Problem(name, "it is not as it was written")
        for name in sorted(digests.keys() | evidence.parts.keys())
        if digests.get(name) != evidence.parts.get(name)
    ]
    whole = sha256(encode(msgspec.structs.replace(evidence, digest=""))).hexdigest()
    if whole != evidence.digest:
        problems.append(Problem("digest", "the file is not as it was written"))
    return problems


def _text(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _chain(evidence: Evidence) -> tuple[dict[int, Header], list[Problem]]:
    """The headers by number, and where the way from the newest to the oldest is broken."""
    headers: dict[int, Header] = {}
    problems = []
    above: Header | None = None
    for place, lines in enumerate(evidence.chain, start=1):
        text = _text(lines)
        try:
            header = parse_header(text)
        except SealText as error:
            problems.append(Problem(f"chain, header {place}", str(error)))
            above = None
            continue
        if above is not None and not names(above, header.number, head_of(text)):
            problems.append(Problem(f"block {header.number}", f"block {above.number} does not name it"))
        elif above is None and place > 1:
            problems.append(Problem(f"block {header.number}", "no block before it in the file names it"))
        headers[header.number] = above = header
    if not evidence.chain:
        problems.append(Problem("chain", "there is no block"))
    return headers, problems


def _row(part: RowPart, headers: dict[int, Header]) -> list[Problem]:
    name = f"{part.kind} {part.key}"
    header = headers.get(part.block)
    if header is None:
        return [Problem(name, f"block {part.block}, where it is said to lie, is not in the file")]
    seal = header.lists[part.kind]
    try:
        proof = [bytes.fromhex(step) for step in part.proof]
    except ValueError:
        return [Problem(name, "its proof cannot be read")]
    text = "\n".join(part.text).encode()
    if not verify_inclusion(text, part.index, seal.rows, proof, seal.root):
        return [Problem(name, f"it does not lie in block {part.block}: text, place or proof was changed")]
    return []
