"""Who may do what: accounts, sessions, API tokens, and who did what (docs/design/web.md).

One SQLite file, root only. Every call is one transaction on a connection of its own, so that boxd's threads, the boot
menu and the command line can use it at one time. Passwords are kept by argon2id with OWASP's figures for small
machines (19 MiB, 2 passes, 1 lane); sessions and API tokens by SHA-256, which is enough for 256 random bits.
"""

import ctypes
import hashlib
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.accounts_model import CONSOLE, Account, AccountView, AuditEntry, Role, TokenView
from core.clock import Clock, SystemClock
from core.errors import (
    AccountExists,
    AccountLocked,
    AccountsBroken,
    BadAccountName,
    BadPassword,
    LastAdministrator,
    NoSuchAccount,
    SessionOver,
    WrongLogin,
)
from core.paths import Paths
from core.units import human_seconds

FACTORY_NAME = "admin"
FACTORY_PASSWORD = "admin"  # noqa: S105 -- spec/boot.md; it opens nothing but the change of itself
SESSION_IDLE = 2 * 3600.0
SESSION_LIFE = 7 * 24 * 3600.0
FREE_TRIES = 5  # of one name from one place
FREE_TRIES_PLACE = 20  # of any names from one place: one password tried on many names
FREE_TRIES_NAME = 50  # of one name from the whole network: many places try it
FIRST_LOCK, LONGEST_LOCK = 30.0, 3600.0
FORGET_FAILURES = 24 * 3600.0
AUDIT_ROWS = 20_000
TOUCH_EVERY = 60.0  # a session that is used is written no more often than this: a page asks every second
STRONG = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
COMMON = frozenset({"password", "passw0rd", "administrator", "12345678", "123456789", "1234567890", "qwertyui",
                    "qwerty123", "11111111", "00000000", "rackeye1", "adminadmin", "password1", "iloveyou"})
SCHEMA = """
CREATE TABLE accounts(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, must_change INTEGER NOT NULL,
                      created REAL NOT NULL, last_login REAL);
CREATE TABLE sessions(hash TEXT PRIMARY KEY, name TEXT NOT NULL, opened REAL NOT NULL, used REAL NOT NULL);
CREATE TABLE tokens(name TEXT PRIMARY KEY, hash TEXT NOT NULL, account TEXT NOT NULL, created REAL NOT NULL,
                    used REAL);
CREATE TABLE failures(key TEXT PRIMARY KEY, count INTEGER NOT NULL, at REAL NOT NULL, until REAL NOT NULL);
CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
                   place TEXT NOT NULL);
PRAGMA user_version = 1;
"""


class Accounts:
    """The accounts of this appliance; the file is made at the first use, with the factory's account."""

    def __init__(self, paths: Paths, clock: Clock | None = None, hasher: PasswordHasher = STRONG) -> None:
        self.file = paths.state / "accounts" / "accounts.sqlite"
        self._clock = clock or SystemClock()
        self._hasher = hasher
        # One at a time: a flood of logins takes neither memory nor both cores, and is counted before the next one.
        self._one_login = threading.Lock()
        _give_memory_back()
        self._nobody: str = ""

    # -- who is it ---------------------------------------------------------------------------------------------------

    def authenticate(self, user: str, password: str, where: str) -> Account:
        """The account that this password proves. Raises WrongLogin, AccountLocked.

        where: CONSOLE, or the address it came from; wrong passwords are counted by name and place.
        """
        with self._one_login:
            return self._authenticate(user, password, where)

    def _authenticate(self, user: str, password: str, where: str) -> Account:
        now = self._clock.now()
        with self._open() as db:
            self._check_lock(db, user, where, now)
            row = db.execute("SELECT role, hash, must_change FROM accounts WHERE name = ?", (user,)).fetchone()
        good = self._verify(row[1] if row else self._dummy(), password) and row is not None
        with self._open() as db:
            if not good:
                self._count_failure(db, user, where, now)
            else:
                db.execute("DELETE FROM failures WHERE key IN (?, ?)", (f"{user}@{where}", f"{user}@*"))
                db.execute("UPDATE accounts SET last_login = ? WHERE name = ?", (now, user))
                if self._hasher.check_needs_rehash(row[1]):
                    db.execute("UPDATE accounts SET hash = ? WHERE name = ?", (self._hash(password), user))
        if not good:
            raise WrongLogin("The user name or the password is wrong.", hint="Both are case-sensitive.")
        return Account(user, Role(row[0]), bool(row[2]))

    def open_session(self, account: Account) -> str:
        """The token of a new session of somebody who has just authenticated."""
        token, now = secrets.token_urlsafe(32), self._clock.now()
        with self._open() as db:
            db.execute("DELETE FROM sessions WHERE used < ? OR opened < ?", (now - SESSION_IDLE, now - SESSION_LIFE))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (_digest(token), account.name, now, now))
        return token

    def session(self, token: str) -> Account:
        """Whose session it is; using it keeps it open. Raises SessionOver."""
        now = self._clock.now()
        with self._open() as db:
            row = db.execute(
                "SELECT a.name, a.role, a.must_change, s.opened, s.used FROM sessions s JOIN accounts a USING (name) "
                "WHERE s.hash = ?", (_digest(token),),
            ).fetchone()
            if row is None or now - row[3] > SESSION_LIFE or now - row[4] > SESSION_IDLE:
                db.execute("DELETE FROM sessions WHERE hash = ?", (_digest(token),))
                db.commit()
                raise SessionOver("The session is over.", hint="Log in again.")
            if now - row[4] > TOUCH_EVERY:
                db.execute("UPDATE sessions SET used = ? WHERE hash = ?", (now, _digest(token)))
        return Account(row[0], Role(row[1]), bool(row[2]))

    def close_session(self, token: str) -> None:
        """Logs out; a session that is over already is no error."""
        with self._open() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (_digest(token),))

    # -- accounts ----------------------------------------------------------------------------------------------------

    def list(self) -> tuple[AccountView, ...]:
        """All accounts, by name."""
        with self._open() as db:
            rows = db.execute("SELECT name, role, must_change, created, last_login FROM accounts ORDER BY name")
            return tuple(AccountView(n, Role(r), bool(m), c, login) for n, r, m, c, login in rows)

    def change_password(self, user: str, old: str, new: str, where: str, keep: str = "") -> None:
        """A person's own new password; their other sessions end, `keep` stays. Raises WrongLogin, BadPassword."""
        self.authenticate(user, old, where)
        if new == old:
            raise BadPassword("The new password is the old one.", hint="Think of another.")
        self._set_password(user, new, must_change=False, keep=keep)

    def set_password(self, user: str, new: str) -> None:
        """A password set by an administrator, to be changed at the next login. Raises NoSuchAccount, BadPassword."""
        self._set_password(user, new, must_change=True, keep="")

    def _set_password(self, user: str, new: str, must_change: bool, keep: str) -> None:
        _check_password(user, new)
        hashed = self._hash(new)
        with self._open() as db:
            done = db.execute("UPDATE accounts SET hash = ?, must_change = ? WHERE name = ?",
                              (hashed, must_change, user))
            if done.rowcount == 0:
                raise _no_account(user)
            db.execute("DELETE FROM sessions WHERE name = ? AND hash != ?", (user, _digest(keep)))
            db.execute("DELETE FROM failures WHERE key LIKE ? ESCAPE '\\'", (_like(user) + "@%",))

    def add(self, name: str, role: Role, password: str, must_change: bool = True) -> None:
        """A new account. Raises AccountExists, BadAccountName, BadPassword."""
        _check_name(name)
        _check_password(name, password)
        hashed = self._hash(password)
        with self._open() as db:
            try:
                db.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, NULL)",
                           (name, role.value, hashed, must_change, self._clock.now()))
            except sqlite3.IntegrityError as error:
                raise AccountExists(f"There is an account {name} already.", hint="Choose another name.") from error

    def remove(self, name: str) -> None:
        """Removes an account, its sessions and API tokens. Raises NoSuchAccount, LastAdministrator."""
        with self._open() as db:
            self._keep_an_administrator(db, name)
            if db.execute("DELETE FROM accounts WHERE name = ?", (name,)).rowcount == 0:
                raise _no_account(name)
            db.execute("DELETE FROM sessions WHERE name = ?", (name,))
            db.execute("DELETE FROM tokens WHERE account = ?", (name,))

    def set_role(self, name: str, role: Role) -> None:
        """Raises NoSuchAccount, LastAdministrator."""
        with self._open() as db:
            if role is not Role.ADMINISTRATOR:
                self._keep_an_administrator(db, name)
            if db.execute("UPDATE accounts SET role = ? WHERE name = ?", (role.value, name)).rowcount == 0:
                raise _no_account(name)

    def _keep_an_administrator(self, db: sqlite3.Connection, name: str) -> None:
        rows = db.execute("SELECT name FROM accounts WHERE role = ?", (Role.ADMINISTRATOR.value,)).fetchall()
        if rows == [(name,)]:
            raise LastAdministrator(f"{name} is the last administrator.", hint="Add another administrator first.")

    # -- API tokens --------------------------------------------------------------------------------------------------

    def add_token(self, name: str, account: str) -> str:
        """The text of a new API token with the rights of `account`; it is shown this once. Raises NoSuchAccount."""
        _check_name(name)
        text = "rke_" + secrets.token_urlsafe(32)
        with self._open() as db:
            if db.execute("SELECT 1 FROM accounts WHERE name = ?", (account,)).fetchone() is None:
                raise _no_account(account)
            try:
                db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, NULL)",
                           (name, _digest(text), account, self._clock.now()))
            except sqlite3.IntegrityError as error:
                raise AccountExists(f"There is an API token {name} already.", hint="Choose another name.") from error
        return text

    def token(self, text: str) -> Account:
        """Whose API token it is. Raises SessionOver."""
        now = self._clock.now()
        with self._open() as db:
            row = db.execute(
                "SELECT a.name, a.role, a.must_change, t.used FROM tokens t JOIN accounts a ON a.name = t.account "
                "WHERE t.hash = ?", (_digest(text),),
            ).fetchone()
            if row is None:
                raise SessionOver("The API token is not known.", hint="`sudo rackeye account token` makes a new one.")
            if row[3] is None or now - row[3] > TOUCH_EVERY:
                db.execute("UPDATE tokens SET used = ? WHERE hash = ?", (now, _digest(text)))
        return Account(row[0], Role(row[1]), bool(row[2]))

    def tokens(self) -> tuple[TokenView, ...]:
        """All API tokens, by name."""
        with self._open() as db:
            rows = db.execute("SELECT name, account, created, used FROM tokens ORDER BY name")
            return tuple(TokenView(*row) for row in rows)

    def remove_token(self, name: str) -> None:
        """Raises NoSuchAccount."""
        with self._open() as db:
            if db.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount == 0:
                raise NoSuchAccount(f"There is no API token {name}.", hint="`sudo rackeye account list` shows them.")

    # -- who did what ------------------------------------------------------------------------------------------------

    def audit(self, who: str, what: str, where: str) -> None:
        """Writes one line; the oldest of many go."""
        with self._open() as db:
            done = db.execute("INSERT INTO audit(at, who, what, place) VALUES (?, ?, ?, ?)",
                              (self._clock.now(), who[:64], what[:1000], where[:64]))
            db.execute("DELETE FROM audit WHERE id <= ?", ((done.lastrowid or 0) - AUDIT_ROWS,))

    def audit_list(self, limit: int = 200, before: int | None = None) -> tuple[AuditEntry, ...]:
        """The last lines, newest first. before: only ids below this one."""
        with self._open() as db:
            rows = db.execute("SELECT id, at, who, what, place FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
                              (before if before is not None else 1 << 62, max(1, min(limit, 1000))))
            return tuple(AuditEntry(*row) for row in rows)

    def reset(self) -> None:
        """Restore to default: the factory's account alone, no sessions, tokens or log. Works on a damaged file too."""
        for name in ("accounts.sqlite", "accounts.sqlite-journal", "accounts.sqlite-wal", "accounts.sqlite-shm"):
            (self.file.parent / name).unlink(missing_ok=True)
        with self._open():
            pass

    # -- inside ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction. Raises AccountsBroken."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileExistsError):
                os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(self.file, timeout=10, isolation_level=None)) as db:
                # EXTRA: with FULL the journal's end may not be on the drive, and a cut brings the old password back.
                db.execute("PRAGMA synchronous = EXTRA")
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    self._make(db)
                try:
                    yield db
                except BaseException:
                    if db.in_transaction:
                        db.rollback()
                    raise
                db.commit()
        except (sqlite3.Error, OSError) as error:
            raise AccountsBroken(f"The accounts in {self.file} cannot be used: {error}.", hint=_BROKEN) from error

    def _make(self, db: sqlite3.Connection) -> None:
        for statement in SCHEMA.split(";"):  # executescript would commit halfway: a file without an account
            db.execute(statement)
        db.execute("INSERT INTO accounts VALUES (?, ?, ?, 1, ?, NULL)",
                   (FACTORY_NAME, Role.ADMINISTRATOR.value, self._hash(FACTORY_PASSWORD), self._clock.now()))

    def _hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return len(password) <= 256 and self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def _dummy(self) -> str:
        """A hash that takes as long as a real one: an unknown name must not answer sooner."""
        self._nobody = self._nobody or self._hash(secrets.token_urlsafe(16))
        return self._nobody

    def _check_lock(self, db: sqlite3.Connection, user: str, where: str, now: float) -> None:
        keys = [key for key, _ in _counters(user, where)]
        marks = ", ".join("?" * len(keys))
        row = db.execute(f"SELECT MAX(until) FROM failures WHERE key IN ({marks})", keys).fetchone()  # noqa: S608 -- marks only
        # A clock that was set back must not lock for longer than any lock lasts.
        left = min((row[0] or 0.0) - now, LONGEST_LOCK)
        if left > 0:
            raise AccountLocked(
                f"Too many wrong passwords: the next one is looked at in {human_seconds(max(1, left))}.",
                hint="Wait, or ask an administrator; the console of the machine is not locked by this.",
            )

    def _count_failure(self, db: sqlite3.Connection, user: str, where: str, now: float) -> None:
        db.execute("DELETE FROM failures WHERE at < ? OR at > ?", (now - FORGET_FAILURES, now + 60))
        for key, free in _counters(user, where):
            row = db.execute("SELECT count FROM failures WHERE key = ?", (key,)).fetchone()
            count = (row[0] if row else 0) + 1
            lock = min(FIRST_LOCK * 2.0 ** min(count - free, 20), LONGEST_LOCK) if count >= free else 0.0
            db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", (key, count, now, now + lock))


_BROKEN = "Is the system drive full or failing? If not, hold the reset button 10 s at power-on: Restore to default."


def _give_memory_back() -> None:
    """Without this glibc keeps the 19 MiB of each thread that ever hashed (mallopt(3): M_MMAP_THRESHOLD grows)."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(-3, 1 << 20)


def _counters(user: str, where: str) -> tuple[tuple[str, int], ...]:
    """What wrong passwords are counted by, and how many are free. The console has only its own count."""
    here = (f"{user[:64]}@{where[:64]}", FREE_TRIES)
    if where == CONSOLE:
        return (here,)
    return here, (f"*@{where[:64]}", FREE_TRIES_PLACE), (f"{user[:64]}@*", FREE_TRIES_NAME)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _no_account(name: str) -> NoSuchAccount:
    return NoSuchAccount(f"There is no account {name}.", hint="`sudo rackeye account list` shows them.")


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise BadAccountName(f"{name!r} cannot be a name.", hint="Use a-z, 0-9, dot, underscore, hyphen; 32 at most.")


def _check_password(name: str, password: str) -> None:
    wrong = {
        "shorter than 8 characters": len(password) < 8,
        "longer than 256 characters": len(password) > 256,
        "the name of the account": password.casefold() == name.casefold(),
        "one that everybody tries first": password.casefold() in COMMON,
        "one character again and again": len(set(password)) == 1,
    }
    for said, is_so in wrong.items():
        if is_so:
            raise BadPassword(f"The new password is {said}.", hint="Three or four words that nobody guesses are good.")
