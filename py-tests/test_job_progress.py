"""How far a job is, as a person at a terminal sees it."""

from __future__ import annotations

import pytest
from cli_support import Terminal
from job_support import Place, column, of_sqlite

#: The line is written anew in its place.
REDRAWN = "\r"
CLEARED = "\x1b[K"


@pytest.mark.parametrize("term", ["xterm", "dumb"])
@of_sqlite
def test_a_bar_is_drawn_where_the_terminal_can(place: Place, term: str) -> None:
    place.users([f"Row {n}" for n in range(12)])
    place.describe(column())
    slowly = ("plan", "--batch", "1", "--pause", "50")
    env = place.env | {"TERM": term}
    with Terminal(place.command, *slowly, cwd=place.folder, env=env) as terminal:
        assert terminal.end() == 0, terminal.seen
    assert "users.ssn" in terminal.seen
    drawn = {mark: mark in terminal.seen for mark in (REDRAWN, CLEARED)}
    assert drawn == dict.fromkeys(drawn, term == "xterm"), terminal.seen
