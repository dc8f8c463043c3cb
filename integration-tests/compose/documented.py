"""Runs the commands and writes the files of docs/operations.md: blocks with the mark `run by: FILE.py::STEP`."""

import json
import os
import pty
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from deployment import ROOT, Failure

DOCUMENT = ROOT / "docs" / "operations.md"
# the name of the site in the document
SITE = "/srv/compute"
# the prompt of the operator's command
QUESTION = "(yes/no)"


@dataclass
class Block:
    language: str
    file: str | None
    text: str


def blocks(step):
    """The blocks that the step runs, in order."""
    found = []
    pattern = r"^<!-- run by: ([^\n]*) -->\n```(\w+)(?: file=(\S+))?\n(.*?)^```$"
    for names, language, file, text in re.findall(pattern, DOCUMENT.read_text(), re.M | re.S):
        if step in (name.strip() for name in names.split(",")):
            found.append(Block(language, file, text))
    if not found:
        raise Failure(f"{DOCUMENT.name} has no block run by {step}")
    return found


def type_blocks(world, step, words=None):
    """Runs the commands and writes the files of a step, with words of the document replaced by those of the scenario."""
    for block in blocks(step):
        text = block.text
        for word, own in (words or {}).items():
            text = text.replace(word, own)
        if block.language == "sh":
            type_commands(world, text)
        elif block.file:
            write(world.site / block.file.removeprefix(f"{SITE}/"), block.language, text)


def type_commands(world, text):
    """Runs the commands in a terminal, in the folder of the checkout. Returns its output."""
    read_site = f". {world.site}/env; " if (world.site / "env").exists() else ""
    shell = f"set -euo pipefail; {read_site}{text.replace(SITE, str(world.site))}"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(["bash", "-c", shell], cwd=ROOT, env=world.ports, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown, answered = "", 0
    # reading a terminal fails when its other side is closed
    with suppress(OSError):
        while piece := os.read(ours, 4096):
            shown += piece.decode(errors="replace")
            if shown.rstrip().endswith(QUESTION) and shown.count(QUESTION) > answered:
                answered += 1
                os.write(ours, b"yes\n")
    os.close(ours)
    if status := process.wait():
        raise Failure(f"{text}exit status {status}\n{shown[-3000:]}")
    return shown


def write(path, language, text):
    """Makes the file, or adds what the document says to one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(text)
    elif language == "json":
        path.write_text(json.dumps(merged(json.loads(path.read_text()), json.loads(text)), indent=2))
    else:
        path.write_text(path.read_text() + text)


def merged(old, new):
    """Objects are put together key by key; anything else is replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old[key], value) if key in old else value for key, value in new.items()}
    return new
