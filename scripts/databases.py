#!/usr/bin/env python3
"""A PostgreSQL and a MariaDB for tests: started in a moment, gone without a trace.

    scripts/databases.py start               start them, unless they run, and show their URLs as JSON
    scripts/databases.py start --while PID   the same for one process: they stop when it ends
    scripts/databases.py urls [--while PID]
    scripts/databases.py stop [--while PID]

They listen on loopback only, on free ports, run as an unprivileged user, and lose data in a crash of
the machine, which makes them fast. With `--durable` they lose none, as they come out of the box: for
measurements, in which a commit is to take as long as it does elsewhere.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from types import FrameType
from typing import Any, TextIO
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
STATES = ROOT / "target" / "databases"
FAMILIAR_USERS = ["postgres", "nobody"]
START_SECONDS = 60
STOP_SECONDS = 15
POLL_SECONDS = 0.05
LAUNCHES = 3
PROTOCOL = b"\x0a"
"""The version that a MariaDB greets with."""
DATABASE = "reseal"
USER = "reseal"
KILLED_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""


def main() -> int:
    """Run the command."""
    arguments = arguments_of_command()
    state = State(arguments.keeper, durable=arguments.durable)
    if arguments.command == "serve":
        return serve(state)
    if arguments.command == "stop":
        state.stop()
        return 0
    urls = state.start() if arguments.command == "start" else state.urls()
    if urls is None:
        print("databases: not running: scripts/databases.py start", file=sys.stderr)
        return 1
    print(json.dumps(urls))
    return 0


def arguments_of_command() -> argparse.Namespace:
    """Return the command, and the process to serve."""
    parser = argparse.ArgumentParser(description="A PostgreSQL and a MariaDB for tests.")
    parser.add_argument("command", choices=["start", "stop", "urls", "serve"])
    parser.add_argument("--while", dest="keeper", type=int, metavar="PID")
    parser.add_argument("--durable", action="store_true")
    return parser.parse_args()


# --- one pair of servers, and who keeps it ----------------------------------------------------


class State:
    """Where one pair of servers is noted: by the process that it serves, or by hand."""

    def __init__(self, keeper: int | None, *, durable: bool = False) -> None:
        self.keeper, self.durable = keeper, durable
        name = "by-hand" if keeper is None else str(keeper)
        name += "-durable" if durable else ""
        STATES.mkdir(parents=True, exist_ok=True)
        self.file = STATES / f"{name}.json"
        self.log = STATES / f"{name}.log"
        self.guard = STATES / f"{name}.lock"
        self.note: TextIO | None = None

    def urls(self) -> dict[str, str] | None:
        """Return the URLs of servers that run, or None."""
        found = self.read()
        return found["urls"] if found is not None else None

    def read(self) -> dict[str, Any] | None:
        """Return what is noted, if it is still true."""
        try:
            with self.file.open() as file:
                if not held(file):
                    return None
                found: dict[str, Any] = json.load(file)
        except (OSError, ValueError):
            return None
        return found

    def write(self, urls: dict[str, str]) -> None:
        """Note that this process serves, and hold the note as long as it does."""
        draft = self.file.with_suffix(".new")
        draft.touch(mode=0o600)
        self.note = draft.open("w")
        fcntl.flock(self.note, fcntl.LOCK_EX)
        self.note.write(json.dumps({"pid": os.getpid(), "urls": urls}))
        self.note.flush()
        draft.replace(self.file)

    def start(self) -> dict[str, str]:
        """The URLs of servers that run already, or of new ones; one start at a time."""
        with self.alone():
            return self.urls() or self.launch()

    def launch(self) -> dict[str, str]:
        """Begin to serve in a process of its own."""
        command = [sys.executable, __file__, "serve"]
        if self.keeper is not None:
            command += ["--while", str(self.keeper)]
        if self.durable:
            command.append("--durable")
        with self.log.open("w+b") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until and process.poll() is None:
                urls = self.urls()
                if urls is not None:
                    # It outlives this command.
                    process.returncode = 0
                    return urls
                time.sleep(POLL_SECONDS)
            if process.poll() is None:
                process.terminate()
                process.wait()
            # It has forgotten the name of the file by now.
            log.seek(0)
            said = log.read().decode(errors="replace")
        raise SystemExit(f"databases: they did not start\n{said}")

    def stop(self) -> None:
        """End what runs, if anything does."""
        with self.alone():
            found = self.read()
            if found is None:
                # What was killed could not forget itself.
                self.remove()
            else:
                os.kill(found["pid"], signal.SIGTERM)
                until = time.monotonic() + STOP_SECONDS
                while alive(found["pid"]) and time.monotonic() < until:
                    time.sleep(POLL_SECONDS)

    def remove(self) -> None:
        """Forget it."""
        for path in (self.file, self.log, self.guard):
            path.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others out."""
        with self.guard.open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield


def held(file: TextIO) -> bool:
    """Whether the process that wrote a note still holds it: another one may have its number."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def alive(pid: int) -> bool:
    """Whether a process runs; what has ended and was not yet asked for does not."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", "rb") as file:
            return not file.read().rpartition(b")")[2].startswith(b" Z")
    except FileNotFoundError:
        return not os.path.isdir("/proc/self")
    except ProcessLookupError:
        return False
    except PermissionError:
        return True


def serve(state: State) -> int:
    """Run both until the process that they serve ends, or a signal comes."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    folder = Path(tempfile.mkdtemp(prefix="reseal-databases-", dir=STATES))
    servers: list[Server] = []
    try:
        user = unprivileged()
        if not reachable(folder, user):
            # The user of the servers may not enter every home.
            folder.rmdir()
            folder = Path(tempfile.mkdtemp(prefix="reseal-databases-"))
        folder.chmod(0o755)
        servers = [kind(folder, user, durable=state.durable) for kind in (Postgres, MariaDb)]
        with ThreadPoolExecutor() as pool:
            urls = {server.name: pool.submit(server.prepare) for server in servers}
            for found in urls.values():
                found.result()
        # By this thread: the system ends the servers with the thread that started them.
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_ready()
        state.write({server.name: server.url() for server in servers})
        while state.keeper is None or alive(state.keeper):
            for server in servers:
                server.check()
            time.sleep(POLL_SECONDS * 4)
    finally:
        # First of all: nobody is sent to servers that are about to end.
        state.remove()
        for server in servers:
            server.interrupt()
        for server in servers:
            server.wait_until_gone()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def leave(number: int, frame: FrameType | None) -> None:
    """End in good order, once."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


# --- the unprivileged user --------------------------------------------------------------------


def unprivileged() -> pwd.struct_passwd | None:
    """The user that the servers run as, or nobody else than who runs this."""
    if os.geteuid() != 0:
        return None
    for name in FAMILIAR_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SystemExit("databases: servers do not run as root, and there is no other user")


def reachable(folder: Path, user: pwd.struct_passwd | None) -> bool:
    """Return whether the user may enter the folder."""
    probe = ["test", "-x", str(folder.parent)]
    return user is None or subprocess.run(probe, **as_user(user)).returncode == 0


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return the options of a process that runs as the user."""
    rights: dict[str, Any] = {}
    if user is not None:
        rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {**rights, "preexec_fn": end_with_parent, "umask": 0o077}


def end_with_parent() -> None:
    """A server stops even if this program is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(KILLED_WITH_PARENT, signal.SIGTERM)


def free_port() -> int:
    """Return a port that nobody listens on, as yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- servers ----------------------------------------------------------------------------------


class Server:
    """A server with its files in a folder of its own."""

    name: str
    stop_signal = signal.SIGTERM

    def __init__(
        self, folder: Path, user: pwd.struct_passwd | None, *, durable: bool = False
    ) -> None:
        self.user, self.durable = user, durable
        self.folder = folder / self.name
        self.folder.mkdir(mode=0o700)
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.data = self.folder / "data"
        self.log = folder / f"{self.name}.log"
        # URLs must bear what passwords hold.
        self.password = f"p@ss/w:{secrets.token_hex(8)}%?#é"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def url(self) -> str:
        """Return where it is, and how to get in."""
        password = quote(self.password, safe="")
        return f"{self.name}://{USER}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        """Make its files."""
        raise NotImplementedError

    def launch(self) -> None:
        """Start it."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Return whether it lets clients in: this one, not somebody else at its port."""
        raise NotImplementedError

    def wait_until_ready(self) -> None:
        """Return when it answers; if it ends before, another listener may have taken its port."""
        until = time.monotonic() + START_SECONDS
        launches = 1
        while not self.answers():
            if self.ended() and launches < LAUNCHES:
                self.port = free_port()
                self.launch()
                launches += 1
            self.check()
            if time.monotonic() > until:
                raise SystemExit(f"databases: {self.name} does not answer\n{self.output()}")
            time.sleep(POLL_SECONDS)
        self.check()

    def ended(self) -> bool:
        """Return whether it does not run."""
        return self.process is None or self.process.poll() is not None

    def check(self) -> None:
        """Fail if it has ended."""
        if self.ended():
            raise SystemExit(f"databases: {self.name} ended\n{self.output()}")

    def notes(self, path: Path) -> list[str]:
        """Return the lines of a file that begins with the number of this server's process."""
        try:
            lines = [line.strip() for line in path.read_text().splitlines()]
        except OSError:
            return []
        own = self.process is not None and lines[:1] == [str(self.process.pid)]
        return lines if own else []

    def interrupt(self) -> None:
        """Ask it to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def wait_until_gone(self) -> None:
        """Return when it has ended, if need be by force."""
        if self.process is not None:
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def output(self) -> str:
        """Return what it said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def secret_file(self, name: str, content: str) -> Path:
        """Write a file that only the server can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def run(self, command: list[str]) -> None:
        """Run a program as the user of the server."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment(),
                **as_user(self.user),
            )
        if done.returncode != 0:
            raise SystemExit(f"databases: {command[0]} failed\n{self.output()}")

    def spawn(self, command: list[str]) -> None:
        """Start the server itself."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment(),
                **as_user(self.user),
            )

    def environment(self) -> dict[str, str]:
        """Return the variables of its programs: a MariaDB that starts empties the folder of all
        temporary tables, also of those of another one."""
        return {**os.environ, "TMPDIR": str(self.folder)}


class Postgres(Server):
    """A PostgreSQL."""

    name = "postgresql"
    # Fast: it does not wait until its clients have gone.
    stop_signal = signal.SIGINT

    def prepare(self) -> None:
        """Make its files."""
        password = self.secret_file("password", self.password)
        options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={password}"]
        encoding = ["--encoding=UTF8", "--locale=C", "--no-sync"]
        self.run([tool("initdb"), f"--pgdata={self.data}", *options, *encoding])
        single = [tool("postgres"), "--single", "-D", str(self.data), "-F", "postgres"]
        with self.log.open("ab") as log:
            statement = f"CREATE DATABASE {DATABASE};\n".encode()
            subprocess.run(
                single, input=statement, stdout=log, stderr=log, check=True, **as_user(self.user)
            )

    def launch(self) -> None:
        """Start it."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "deadlock_timeout": "100ms",
        }
        if not self.durable:
            settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.spawn([tool("postgres"), "-D", str(self.data), *options])

    def answers(self) -> bool:
        """Return whether it lets clients in: it listens before, and notes when it does."""
        return "ready" in self.notes(self.data / "postmaster.pid")


class MariaDb(Server):
    """A MariaDB."""

    name = "mysql"

    def prepare(self) -> None:
        """Make its files."""
        tables = [f"--datadir={self.data}", "--auth-root-authentication-method=normal"]
        self.run([tool("mariadb-install-db"), "--no-defaults", "--skip-test-db", *tables])

    def launch(self) -> None:
        """Start it."""
        host = f"'{USER}'@'%'"
        statements = [
            "SET NAMES utf8mb4;",
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;",
            f"CREATE USER {host} IDENTIFIED BY '{self.password}';",
            f"GRANT ALL PRIVILEGES ON *.* TO {host} WITH GRANT OPTION;",
        ]
        start = self.secret_file("start.sql", "".join(f"{line}\n" for line in statements))
        settings = {
            "datadir": str(self.data),
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            # Relative to the data: the path of a socket has about a hundred characters at most.
            "socket": "s",
            "pid-file": "pid",
            "init-file": str(start),
            "character-set-server": "utf8mb4",
            "collation-server": "utf8mb4_general_ci",
            "innodb-buffer-pool-size": "64M",
            "innodb-log-file-size": "64M",
            "performance-schema": "OFF",
        }
        if not self.durable:
            settings |= {
                "innodb-flush-log-at-trx-commit": "0",
                "innodb-flush-method": "nosync",
            }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self.spawn([tool("mariadbd"), "--no-defaults", *options])

    def answers(self) -> bool:
        """Return whether it lets clients in: it has its port, and greets them."""
        if not self.notes(self.data / "pid"):
            return False
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                # A packet's head of four bytes, then the version of the protocol, or an error.
                return client.makefile("rb").read(5)[4:] == PROTOCOL
        except OSError:
            return False


def tool(name: str) -> str:
    """The path of a program. Debian keeps those of PostgreSQL outside PATH."""
    folders = sorted(glob("/usr/lib/postgresql/*/bin"), key=version_in, reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *folders])
    found = shutil.which(name, path=path)
    if found is None:
        raise SystemExit(f"databases: {name} is missing: scripts/bootstrap.sh installs it")
    return os.path.realpath(found) if name in ("initdb", "postgres") else found


def version_in(folder: str) -> int:
    """Return the number in a path."""
    return int("".join(filter(str.isdigit, folder)) or 0)


if __name__ == "__main__":
    sys.exit(main())
