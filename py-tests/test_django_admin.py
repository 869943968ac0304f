"""The page "Encryption keys" of Django's admin: by requests, and by clicks in Chromium."""

from __future__ import annotations

import http.cookiejar
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import pytest
import reseal
from admin_site import PASSWORD, ROWS

ROOT = Path(__file__).resolve().parents[1]
PAGE = "reseal/encryptionkey/"
# An hour: what has to wait for it is refused as long as a test runs.
LONG = 3600


@contextmanager
def site(folder: Path, keyring: str, lease_seconds: int = 0, *kind: str) -> Iterator[str]:
    """The address of a site, in a process of its own."""
    command = [sys.executable, str(ROOT / "py-tests/admin_site.py"), str(folder), keyring]
    process = subprocess.Popen(
        [*command, str(lease_seconds), *kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the site did not start"
        yield url
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


class Visitor:
    """Somebody who is logged in."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.get("login/")
        status, _ = self.post("login/", username=name, password=PASSWORD, next=url)
        assert status == 200

    def get(self, path: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, **fields: object) -> tuple[int, str]:
        token = next((one.value for one in self.cookies if one.name == "csrftoken"), None)
        return self.post_without_token(path, csrfmiddlewaretoken=token, **fields)

    def post_without_token(self, path: str, **fields: object) -> tuple[int, str]:
        body = urllib.parse.urlencode(fields).encode()
        return self._ask(urllib.request.Request(self.url + path, body))

    def move(self, move: str, key: str = "", use: str = "data", **more: object) -> str:
        """Make a move of the generation that is shown, and return the page with what came of it."""
        generation = re.search(r"generation (\d+)", self.get(PAGE)[1])
        assert generation is not None
        fields: dict[str, object] = {"generation": generation[1], "key": key, "use": use} | more
        status, page = self.post(f"{PAGE}app/{move}/", **fields)
        assert status == 200
        return page

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self.opener.open(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def keys(page: str) -> dict[tuple[str, str], tuple[str, int]]:
    """The keys of a page: for what and in which state, each with its id and how many are under it."""
    row = re.compile(
        r'<tr class="reseal-(\w+)">.*?title="(\w+)".*?data-label="For">(.*?)</td>'
        r'.*?data-label="Values"[^>]*>(\d+)<',
        re.DOTALL,
    )
    return {(use, state): (key, int(number)) for state, key, use, number in row.findall(page)}


def said(page: str) -> str:
    """The messages of a page."""
    return unescape(" ".join(re.findall(r'<li class="(?:success|error)">(.*?)</li>', page)))


@pytest.mark.parametrize("keyring", ["keyset", "sql", "env-keyset"])
def test_a_rotation_is_made_by_posts(tmp_path: Path, keyring: str) -> None:
    with site(tmp_path, keyring) as url:
        visitor = Visitor(url, "rotator")
        old, number = keys(visitor.get(PAGE)[1])["values", "primary"]
        assert number == 2 * ROWS

        page = visitor.move("introduce", label="2027-q1")
        new, number = keys(page)["values", "introduced"]
        assert number == 0
        assert "2027-q1" in page
        page = visitor.move("promote", new)
        assert said(page) == f"The key {new[:8]} seals now."
        assert keys(page)["values", "decrypt_only"] == (old, 2 * ROWS)

        # Back, and on again.
        page = visitor.move("revert", old)
        assert said(page) == f"The key {old[:8]} seals again."
        assert keys(page)["values", "primary"] == (old, 2 * ROWS)
        page = visitor.move("revert", new)
        assert keys(page)["values", "decrypt_only"] == (old, 2 * ROWS)

        # What is needed stays, whoever asks.
        assert "not due" in said(visitor.move("disable", old))
        assert "not due" in said(visitor.move("disable", new))

        page = visitor.move("apply")
        assert said(page).startswith(f"{2 * ROWS} values were brought")
        assert keys(page)["values", "primary"] == (new, 2 * ROWS)
        assert keys(page)["values", "decrypt_only"] == (old, 0)
        page = visitor.move("disable", old)
        assert keys(page)["values", "disabled"] == (old, 0)
        page = visitor.move("enable", old)
        assert keys(page)["values", "decrypt_only"] == (old, 0)

        # With a key that still opens, another rotation may begin.
        assert keys(visitor.move("introduce"))["values", "introduced"][1] == 0

        # The log has it all, with a link to the page.
        _, index = visitor.get("")
        assert index.count(f"/{PAGE}{new}/change/") == 3
        assert visitor.get(f"{PAGE}{new}/change/")[1].count('class="reseal-keys"') == 1


def test_an_index_key_is_rotated_with_its_terms(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        old, number = keys(visitor.get(PAGE)[1])["blind indexes", "primary"]
        assert number == ROWS
        new, _ = keys(visitor.move("introduce", use="index"))["blind indexes", "introduced"]
        page = visitor.move("promote", new, use="index")
        assert keys(page)["blind indexes", "decrypt_only"] == (old, ROWS)
        page = visitor.move("apply", use="index")
        assert keys(page)["blind indexes", "primary"] == (new, ROWS)
        page = visitor.move("disable", old, use="index")
        assert keys(page)["blind indexes", "disabled"] == (old, 0)


def test_nobody_may_hurry(tmp_path: Path) -> None:
    with site(tmp_path, "keyset", LONG) as url:
        visitor = Visitor(url, "rotator")
        page = visitor.move("introduce")
        new, _ = keys(page)["values", "introduced"]
        assert "are left: load this page again then" in page
        page = visitor.move("promote", new)
        assert "not due" in said(page)
        assert keys(page)["values", "introduced"] == (new, 0)
        # A second one would be a second rotation.
        assert "not due" in said(visitor.move("introduce"))
        # The rotation can be given up.
        page = visitor.move("disable", new)
        assert keys(page)["values", "disabled"] == (new, 0)


def test_a_key_that_never_sealed_is_none_to_go_back_to(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        old, _ = keys(visitor.get(PAGE)[1])["values", "primary"]
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        page = visitor.move("promote", new)
        assert f"Go back to {old[:8]}" in page
        visitor.move("apply")
        visitor.move("disable", old)
        given_up, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("disable", given_up)
        # A keyset dates its moves by the second, and of one second nobody knows what was first.
        time.sleep(1.1)
        page = visitor.move("enable", given_up)
        assert "Go back to" not in page
        for key in (given_up, old):
            assert "not due" in said(visitor.move("revert", key))
        assert keys(page)["values", "primary"][0] == new
        # Whoever wants it to seal says so, and sees which one it is.
        assert f"Promote {given_up[:8]}" in page
        asked = visitor.get(f"{PAGE}app/promote/?key={given_up}&use=data")[1]
        assert given_up in asked
        assert said(visitor.move("promote", given_up)) == f"The key {given_up[:8]} seals now."


def test_a_key_that_not_every_process_knows_is_not_promoted_when_it_was_brought_back(
    tmp_path: Path,
) -> None:
    with site(tmp_path, "keyset", LONG) as url:
        visitor = Visitor(url, "rotator")
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("disable", new)
        page = visitor.move("enable", new)
        assert keys(page)["values", "decrypt_only"] == (new, 0)
        assert f"Promote {new[:8]}" not in page
        assert "not due" in said(visitor.move("promote", new))
        assert "not due" in said(visitor.move("revert", new))


def test_the_page_is_in_english_where_the_admin_is_not(tmp_path: Path) -> None:
    with site(tmp_path, "keyset", 0, "arabic") as url:
        visitor = Visitor(url, "rotator")
        for path in (PAGE, f"{PAGE}app/introduce/?use=data"):
            page = visitor.get(path)[1]
            assert '<html lang="ar" dir="rtl">' in page
            [content] = re.findall(r'<div id="content-main".*', page, re.DOTALL)
            assert content.startswith('<div id="content-main" class="reseal" lang="en" dir="ltr">')
            content = content.partition("<footer")[0]
            assert not re.search(r"[\u0600-\u06ff]", content)
        # What is asked is made, and says so.
        assert "was introduced." in said(visitor.move("introduce"))


def test_a_page_that_was_overtaken_moves_nothing(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        visitor.move("introduce")
        before = keys(visitor.get(PAGE)[1])
        new, _ = before["values", "introduced"]
        page = visitor.move("promote", new, generation=1)
        assert "(keyset-conflict)" in said(page)
        assert keys(page) == before


def test_who_may_do_what(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        looker, nobody = Visitor(url, "looker"), Visitor(url, "nobody")
        status, page = looker.get(PAGE)
        assert status == 200
        before = keys(page)
        assert "Introduce a key" not in page
        assert looker.get(f"{PAGE}app/introduce/")[0] == 403
        assert looker.post(f"{PAGE}app/introduce/", generation=1)[0] == 403
        assert nobody.get(PAGE)[0] == 403
        assert nobody.post(f"{PAGE}app/introduce/", generation=1)[0] == 403

        rotator = Visitor(url, "rotator")
        assert "Introduce a key" in rotator.get(PAGE)[1]
        assert rotator.post_without_token(f"{PAGE}app/introduce/", generation=1)[0] == 403
        # To look at what is asked does nothing.
        assert rotator.get(f"{PAGE}app/introduce/")[0] == 200
        assert keys(rotator.get(PAGE)[1]) == before
        assert rotator.get(f"{PAGE}app/destroy/")[0] == 404
        assert rotator.get(f"{PAGE}other/introduce/")[0] == 404

        # Who makes moves may look as well.
        mover = Visitor(url, "mover")
        assert mover.get(PAGE)[0] == 200
        assert keys(mover.move("introduce"))["values", "introduced"][1] == 0

        stranger = urllib.request.urlopen(url + PAGE)
        with stranger:
            assert "/admin/login/" in stranger.url


def test_keys_of_the_environment_are_shown_and_not_moved(tmp_path: Path) -> None:
    with site(tmp_path, "env") as url:
        visitor = Visitor(url, "rotator")
        status, page = visitor.get(PAGE)
        assert status == 200
        assert keys(page)["values", "primary"][1] == 2 * ROWS
        assert keys(page)["blind indexes", "primary"][1] == ROWS
        assert "These keys are moved outside" in page
        assert "Introduce a key" not in page
        assert "not due" in said(visitor.post(f"{PAGE}app/introduce/", generation=0)[1])


def test_no_key_and_no_value_is_shown(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        paths = [PAGE, "", f"{PAGE}app/promote/?key={new}&use=data"]
        text = "".join(visitor.get(path)[1] for path in paths)
        assert new in text
        for secret in ("rsk1.", "rs1.", "078-05", "Patient 1"):
            assert secret not in text


def test_a_keyset_that_cannot_be_read_is_an_error_on_the_page(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        (tmp_path / "ring.json").write_text("{}")
        status, page = visitor.get(PAGE)
        assert status == 200
        assert "(keyset-malformed)" in page
        assert "(keyset-malformed)" in said(visitor.post(f"{PAGE}app/introduce/", generation=1)[1])


def test_values_of_a_keyset_that_cannot_be_read_are_not_called_those_of_no_codec(
    tmp_path: Path,
) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "looker")
        key, number = keys(visitor.get(PAGE)[1])["values", "primary"]
        (tmp_path / "ring.json").unlink()
        page = visitor.get(PAGE)[1]
        assert f"{number} under the key <code>{key}</code>, which is none of those above." in page


def test_a_move_reaches_every_database(tmp_path: Path) -> None:
    # Each request is a transaction on both databases, which the moves must not wait for.
    with site(tmp_path, "keyset", 0, "second") as url:
        visitor = Visitor(url, "rotator")
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("promote", new)
        page = visitor.move("apply")
        assert said(page).startswith(f"{2 * ROWS} values were brought")
        assert keys(page)["values", "primary"] == (new, 2 * ROWS)


def test_a_new_key_is_not_given_up_where_not_everything_was_counted(tmp_path: Path) -> None:
    with site(tmp_path, "keyset", LONG, "second") as url:
        visitor = Visitor(url, "rotator")
        page = visitor.move("introduce")
        new, _ = keys(page)["values", "introduced"]
        assert f"Give {new[:8]} up" in page
        with closing(sqlite3.connect(tmp_path / "second.db")) as second:
            second.execute("DROP TABLE admin_app_patient")
        page = visitor.get(PAGE)[1]
        assert "Not everything was counted" in page
        assert f"Give {new[:8]} up" not in page
        assert f"{new[:8]} cannot be given up: not everything could be counted" in page
        page = visitor.move("disable", new)
        assert "not due" in said(page)
        assert keys(page)["values", "introduced"] == (new, 0)


def test_a_key_stays_while_a_transaction_has_written_and_may_commit(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        old, _ = keys(visitor.get(PAGE)[1])["values", "primary"]
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("promote", new)
        visitor.move("apply")
        with closing(sqlite3.connect(tmp_path / "app.db")) as writer:
            writer.execute("UPDATE admin_app_patient SET id = id")
            page = visitor.get(PAGE)[1]
            assert "Not everything was counted" in page
            assert "a transaction has written and does not end" in page
            page = visitor.move("disable", old)
            assert "not due" in said(page)
            assert ("values", "decrypt_only") in keys(page)
            writer.rollback()
        assert said(visitor.move("disable", old)) == f"The key {old[:8]} was disabled."


def test_rows_of_a_database_that_is_migrated_nowhere_are_counted(tmp_path: Path) -> None:
    with site(tmp_path, "keyset", 0, "elsewhere") as url:
        visitor = Visitor(url, "rotator")
        page = visitor.get(PAGE)[1]
        old, number = keys(page)["values", "primary"]
        assert number == 2 * ROWS
        assert "Not everything was counted" not in page
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("promote", new)
        assert "not due" in said(visitor.move("disable", old))
        assert said(visitor.move("apply")).startswith(f"{2 * ROWS} values were brought")


def test_a_generation_is_a_number_in_every_language(tmp_path: Path) -> None:
    with site(tmp_path, "keyset", 0, "grouped") as url:
        visitor = Visitor(url, "rotator")
        for _ in range(4):
            new = re.search(r"/disable/\?key=(\w+)", visitor.move("introduce"))
            assert new is not None
            visitor.move("disable", new[1])
        new = re.search(r"/promote/\?key=(\w+)", visitor.move("introduce"))
        assert new is not None
        page = visitor.get(f"{PAGE}app/promote/?key={new[1]}&use=data")[1]
        asked = re.search(r'name="generation" value="(.*?)"', page)
        assert asked is not None
        fields = {"key": new[1], "use": "data"}
        # What is no number of a generation is of no keyset.
        for wrong in ("9" * 5000, "1,0", "-1", ""):
            status, page = visitor.post(f"{PAGE}app/promote/", generation=wrong, **fields)
            assert status == 200
            assert "(keyset-conflict)" in said(page)
        page = visitor.post(f"{PAGE}app/promote/", generation=asked[1], **fields)[1]
        assert "generation 1,1," in page
        assert said(page) == f"The key {new[1][:8]} seals now."


def test_a_keyset_in_a_database_that_no_job_reaches_is_an_error_on_the_page(tmp_path: Path) -> None:
    with site(tmp_path, "sql", 0, "memory") as url:
        status, page = Visitor(url, "rotator").get(PAGE)
        assert status == 200
        assert "The keys cannot be read: a database in memory" in page


def test_what_failed_is_in_the_log_without_what_was_typed(tmp_path: Path) -> None:
    with site(tmp_path, "keyset", 0, "second") as url:
        visitor = Visitor(url, "rotator")
        key = reseal.Key.generate("data").export()
        assert "(invalid-argument)" in said(visitor.move("introduce", label=key))
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("promote", new)
        with closing(sqlite3.connect(tmp_path / "second.db")) as second:
            second.execute("DROP TABLE admin_app_patient")
        # The first database is resealed by then.
        assert "(column-unsuitable)" in said(visitor.move("apply"))
        assert "was introduced" in said(visitor.move("introduce", use="index"))
        latest = re.search(r"/promote/\?key=(\w+)&amp;use=index", visitor.get(PAGE)[1])
        assert latest is not None
        assert "seals now" in said(visitor.move("promote", latest[1], "index", label=key))
        with closing(sqlite3.connect(tmp_path / "app.db")) as first:
            log = first.execute(
                "SELECT object_id, object_repr, change_message FROM django_admin_log ORDER BY id"
            ).fetchall()
        assert [words.split(":")[:2] for *_, words in log] == [
            ["app, introduce", " failed"],
            ["app, introduce", f" The key {new[:8]} was introduced."],
            ["app, promote", f" The key {new[:8]} seals now."],
            ["app, apply", " failed"],
            ["app, introduce", f" The key {latest[1][:8]} was introduced."],
            ["app, promote", f" The key {latest[1][:8]} seals now."],
        ]
        assert [name for _, name, _ in log[:4]] == [
            "a new key",
            f"{new[:8]}…",
            f"{new[:8]}…",
            "all values",
        ]
        assert "rsk1" not in str(log)


def test_a_label_is_of_a_new_key_alone(tmp_path: Path) -> None:
    with site(tmp_path, "keyset") as url:
        visitor = Visitor(url, "rotator")
        typed = reseal.Key.generate("data").export()
        new, _ = keys(visitor.move("introduce"))["values", "introduced"]
        visitor.move("promote", new)
        assert said(visitor.move("apply", label=typed)).startswith(f"{2 * ROWS} values")
        with closing(sqlite3.connect(tmp_path / "app.db")) as first:
            log = first.execute("SELECT object_repr FROM django_admin_log ORDER BY id").fetchall()
        assert log[-1] == ("all values",)


def test_a_rotation_by_clicks_in_chromium(tmp_path: Path) -> None:
    # With a folder in ADMIN_PICTURES it takes the pictures of docs/django.md anew.
    pictures = [os.path.abspath(folder) for folder in [os.environ.get("ADMIN_PICTURES")] if folder]
    with site(tmp_path, "keyset", 2) as url:
        script = ROOT / "js-tests/admin/run.mjs"
        done = subprocess.run(
            ["node", str(script), url, PASSWORD, str(2 * ROWS), *pictures],
            stdout=subprocess.PIPE,
            text=True,
            timeout=170,
        )
    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r"admin rotation run=(\d+) passed=\1 failed=0", done.stdout)


def test_what_cannot_be_opened_is_shown_and_kept(tmp_path: Path) -> None:
    names = ("text", "checked", "price", "level", "data", "seen")
    shown, where = "[cannot be opened: auth-failed]", "admin_app/chart/"
    with site(tmp_path, "env", 0, "chart") as url:
        visitor = Visitor(url, "editor")
        assert 'alt="True"' in visitor.get(where)[1]
        with closing(sqlite3.connect(tmp_path / "app.db")) as database:

            def stored() -> list[tuple[str, ...]]:
                return database.execute(
                    f"SELECT {', '.join(names)}, note FROM admin_app_chart"
                ).fetchall()

            for name in names:
                spoiled = f"substr({name}, 1, length({name}) - 3) || 'AAA'"
                database.execute(f"UPDATE admin_app_chart SET {name} = {spoiled}")
            database.commit()
            [(*before, note)] = stored()
            status, page = visitor.get(where)
            assert (status, note) == (200, "first")
            # In text and as icons, and in the inputs of the list: text, checked, price, level, data, seen, shown.
            assert page.count(shown) == len(names) + 1
            sent = inputs(page) | {"form-0-note": "second", "_save": "Save"}
            assert [sent[f"form-0-{name}"] for name in ("checked", "seen")] == [shown] * 2
            assert visitor.post(where, **sent)[0] == 200
            assert stored() == [(*before, "second")]
            status, page = visitor.get(f"{where}1/change/")
            assert status == 200
            assert page.count(shown) == len(names)
            sent = inputs(page) | {"note": "third", "_save": "Save"}
            assert sent["text"] == sent["checked"] == sent["seen"] == sent["data"] == shown
            assert "was changed successfully" in visitor.post(f"{where}1/change/", **sent)[1]
            assert stored() == [(*before, "third")]


def inputs(page: str) -> dict[str, str]:
    """What a browser sends of the form of a page, but for its buttons."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", page):
        said = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in said and said.get("type") not in ("submit", "checkbox"):
            found[said["name"]] = unescape(said.get("value", ""))
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def test_a_list_is_sorted_by_what_the_database_can_sort(tmp_path: Path) -> None:
    with site(tmp_path, "env") as url:
        visitor = Visitor(url, "reader")

        def listed(path: str) -> tuple[set[str], list[int]]:
            """The columns that can be sorted by, and the ids of the rows."""
            status, page = visitor.get(f"admin_app/{path}")
            assert status == 200
            columns = re.findall(r'class="sortable column-(\w+)', page)
            rows = re.findall(r'class="field-id">.*?(\d+)</', page)
            return set(columns), [int(row) for row in rows]

        down = list(range(ROWS, 0, -1))
        # A link that somebody kept sorts by what is left.
        for kept in ("1", "-2", "2.0", "3", "-3"):
            expected = down[::-1] if kept == "2.0" else down
            assert listed(f"patient/?o={kept}")[1] == expected
        assert listed("patient/") == ({"id", "plain"}, down)
        assert listed("patient/?o=0")[1] == down[::-1]
        assert listed("patient/?o=4")[1] == down[::-1]
        assert "078-05-1100" in visitor.get("admin_app/patient/")[1]
        assert listed("visit/?o=1")[1] == down
        assert listed("visit/") == ({"day"}, down)
        assert listed("visit/?o=-3")[1] == down[::-1]
