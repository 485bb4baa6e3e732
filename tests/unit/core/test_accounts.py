"""Accounts: who gets in, who is locked out, what ends a session, what survives damage."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from core.accounts import FORGET_FAILURES, SESSION_IDLE, SESSION_LIFE, Accounts
from core.accounts_model import CONSOLE, Account, Role
from core.clock import ManualClock
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

HERE = "192.0.2.7"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the strength is argon2's; here only who gets in
GOOD = "four words nobody guesses"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def accounts(tmp_path: Path, clock: ManualClock) -> Accounts:
    return Accounts(Paths(tmp_path), clock, QUICK)


def fail(accounts: Accounts, times: int, user: str = "admin", where: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(WrongLogin):
            accounts.authenticate(user, "wrong", where)


def test_the_factory_account_must_change_its_password(accounts: Accounts) -> None:
    assert accounts.authenticate("admin", "admin", HERE) == Account("admin", Role.ADMINISTRATOR, must_change=True)
    for bad in ("admin", "short", "ADMIN", "password", "aaaaaaaaaaaa", "x" * 257):
        with pytest.raises(BadPassword):
            accounts.change_password("admin", "admin", bad, HERE)
    accounts.change_password("admin", "admin", GOOD, HERE)
    assert accounts.authenticate("admin", GOOD, HERE).must_change is False
    with pytest.raises(WrongLogin):
        accounts.authenticate("admin", "admin", HERE)


def test_only_root_can_read_the_file_and_no_secret_is_in_it(accounts: Accounts) -> None:
    accounts.change_password("admin", "admin", GOOD, HERE)
    session = accounts.open_session(accounts.authenticate("admin", GOOD, HERE))
    token = accounts.add_token("backup", "admin")
    assert stat.S_IMODE(accounts.file.stat().st_mode) == 0o600
    raw = accounts.file.read_bytes()
    assert not [secret for secret in (GOOD, session, token) if secret.encode() in raw]


def test_the_lock_grows_and_ends(accounts: Accounts, clock: ManualClock) -> None:
    fail(accounts, 5)
    with pytest.raises(AccountLocked, match="30 s"):
        accounts.authenticate("admin", "admin", HERE)
    clock.advance(31)
    fail(accounts, 1)
    clock.advance(31)
    with pytest.raises(AccountLocked):
        accounts.authenticate("admin", "admin", HERE)
    clock.advance(31)
    assert accounts.authenticate("admin", "admin", HERE).name == "admin"
    fail(accounts, 4)  # the count began anew


def test_nobody_on_the_network_locks_the_console(accounts: Accounts, clock: ManualClock) -> None:
    for place in range(11):
        fail(accounts, 5 if place < 10 else 0, where=f"192.0.2.{place}")
    with pytest.raises(AccountLocked):
        accounts.authenticate("admin", "admin", "192.0.2.99")
    assert accounts.authenticate("admin", "admin", CONSOLE).name == "admin"


def test_one_place_cannot_try_a_password_on_many_names(accounts: Accounts) -> None:
    for number in range(20):
        fail(accounts, 1, user=f"guess{number}")
    with pytest.raises(AccountLocked):
        accounts.authenticate("admin", "admin", HERE)
    assert accounts.authenticate("admin", "admin", "192.0.2.8").name == "admin"


def test_a_clock_that_steps_locks_nobody_for_ever(accounts: Accounts, clock: ManualClock) -> None:
    fail(accounts, 5)
    clock.utc -= 365 * 24 * 3600.0
    with pytest.raises(AccountLocked, match="1 h"):
        accounts.authenticate("admin", "admin", HERE)
    clock.advance(365 * 24 * 3600.0 + FORGET_FAILURES)
    assert accounts.authenticate("admin", "admin", HERE).name == "admin"


def test_a_session_ends_by_disuse_by_age_and_by_logout(accounts: Accounts, clock: ManualClock) -> None:
    who = accounts.authenticate("admin", "admin", HERE)
    token = accounts.open_session(who)
    for _ in range(int(SESSION_LIFE / SESSION_IDLE) - 1):  # used just in time, again and again
        clock.advance(SESSION_IDLE - 1)
        assert accounts.session(token) == who
    clock.advance(SESSION_IDLE + 100)
    with pytest.raises(SessionOver):
        accounts.session(token)
    idle = accounts.open_session(who)
    clock.advance(SESSION_IDLE + 1)
    with pytest.raises(SessionOver):
        accounts.session(idle)
    out = accounts.open_session(who)
    accounts.close_session(out)
    accounts.close_session(out)
    with pytest.raises(SessionOver):
        accounts.session(out)


def test_a_new_password_ends_the_other_sessions(accounts: Accounts) -> None:
    who = accounts.authenticate("admin", "admin", HERE)
    mine, other = accounts.open_session(who), accounts.open_session(who)
    accounts.change_password("admin", "admin", GOOD, HERE, keep=mine)
    assert accounts.session(mine) == Account("admin", Role.ADMINISTRATOR)
    with pytest.raises(SessionOver):
        accounts.session(other)
    accounts.set_password("admin", GOOD + "!")
    with pytest.raises(SessionOver):
        accounts.session(mine)
    assert accounts.authenticate("admin", GOOD + "!", HERE).must_change


def test_there_is_always_an_administrator(accounts: Accounts) -> None:
    accounts.add("guard", Role.VIEWER, GOOD)
    with pytest.raises(LastAdministrator):
        accounts.remove("admin")
    with pytest.raises(LastAdministrator):
        accounts.set_role("admin", Role.VIEWER)
    accounts.add("boss", Role.ADMINISTRATOR, GOOD)
    accounts.remove("admin")
    assert [(view.name, view.role) for view in accounts.list()] == [
        ("boss", Role.ADMINISTRATOR), ("guard", Role.VIEWER)]


def test_names(accounts: Accounts) -> None:
    with pytest.raises(AccountExists):
        accounts.add("admin", Role.VIEWER, GOOD)
    for name in ("", "Guard", "a b", "../x", "x" * 33):
        with pytest.raises(BadAccountName):
            accounts.add(name, Role.VIEWER, GOOD)
    for call in (accounts.remove, accounts.remove_token):
        with pytest.raises(NoSuchAccount):
            call("nobody")


def test_api_tokens_live_as_long_as_their_account(accounts: Accounts) -> None:
    accounts.add("prometheus", Role.VIEWER, GOOD, must_change=False)
    text = accounts.add_token("metrics", "prometheus")
    assert accounts.token(text) == Account("prometheus", Role.VIEWER)
    assert [(view.name, view.account) for view in accounts.tokens()] == [("metrics", "prometheus")]
    with pytest.raises(SessionOver):
        accounts.session(text)
    accounts.remove("prometheus")
    with pytest.raises(SessionOver):
        accounts.token(text)


def test_the_log_is_newest_first_and_has_pages(accounts: Accounts, clock: ManualClock) -> None:
    for number in range(5):
        accounts.audit("admin", f"did {number}", HERE)
    first = accounts.audit_list(limit=2)
    assert [entry.what for entry in first] == ["did 4", "did 3"]
    assert [entry.what for entry in accounts.audit_list(limit=2, before=first[-1].id)] == ["did 2", "did 1"]


def test_a_damaged_file_lets_nobody_in_and_restore_mends_it(accounts: Accounts) -> None:
    accounts.change_password("admin", "admin", GOOD, HERE)
    accounts.file.write_bytes(b"no database at all" * 1000)
    with pytest.raises(AccountsBroken):
        accounts.authenticate("admin", "admin", HERE)
    accounts.reset()
    assert accounts.authenticate("admin", "admin", HERE).must_change
    assert accounts.audit_list() == ()


def test_reset_forgets_all(accounts: Accounts) -> None:
    accounts.change_password("admin", "admin", GOOD, HERE)
    accounts.add("guard", Role.VIEWER, GOOD)
    token = accounts.open_session(accounts.authenticate("admin", GOOD, HERE))
    accounts.reset()
    assert [view.name for view in accounts.list()] == ["admin"]
    with pytest.raises(SessionOver):
        accounts.session(token)


def test_a_flood_of_logins_is_counted_before_the_next_is_looked_at(accounts: Accounts) -> None:
    def attempt(number: int) -> type[Exception]:
        try:
            accounts.authenticate("admin", f"guess {number}", HERE)
        except (WrongLogin, AccountLocked) as error:
            return type(error)
        raise AssertionError("let in")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, range(30))).count(WrongLogin) == 5


def test_a_weak_hash_grows_stronger_at_the_next_login(accounts: Accounts, tmp_path: Path) -> None:
    accounts.change_password("admin", "admin", GOOD, HERE)
    Accounts(Paths(tmp_path), accounts._clock).authenticate("admin", GOOD, HERE)
    assert b"m=19456,t=2,p=1" in accounts.file.read_bytes()


def test_logins_leave_no_memory_behind(tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    strong = Accounts(Paths(tmp_path))
    strong.authenticate("admin", "admin", HERE)
    before = resident()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda place: strong.authenticate("admin", "admin", place), "abcdefgh"))
    assert resident() - before < 12 << 20


def test_many_at_one_time(accounts: Accounts, tmp_path: Path) -> None:
    others = [Accounts(Paths(tmp_path), hasher=QUICK) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: others[n % 4].audit("x", str(n), HERE), range(80)))
    assert sorted(int(entry.what) for entry in accounts.audit_list()) == list(range(80))
