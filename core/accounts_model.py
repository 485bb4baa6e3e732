"""Accounts as they cross the bus (org.rackeye.Box1.Admin): roles, sessions, API tokens, the audit."""

import getpass
import os
import re
from dataclasses import dataclass, field
from enum import StrEnum, unique

import msgspec


@unique
class Role(StrEnum):
    """ADMINISTRATOR may do all, VIEWER may look at all."""

    ADMINISTRATOR = "administrator"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Account:
    """A person who has proved who they are. must_change: nothing but a new password is allowed."""

    name: str
    role: Role
    must_change: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as an administrator sees it. Times: UTC seconds; last_login: None for never."""

    name: str
    role: Role
    must_change: bool
    created: float
    last_login: float | None


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token as an administrator sees it; its text is shown once, when it is made."""

    name: str
    account: str
    created: float
    last_used: float | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, and from where (CONSOLE, COMMAND_LINE, an IP address). at: UTC seconds."""

    id: int
    at: float
    who: str
    what: str
    where: str


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """Authenticate, OpenSession: a password as it was typed, and from where."""

    user: str
    password: str = field(repr=False)
    where: str = ""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Session, CloseSession, ApiToken: the text that a session or an API token is known by."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionReply:
    """Answer of OpenSession."""

    token: str = field(repr=False)
    account: Account


@dataclass(frozen=True, slots=True)
class ChangePasswordRequest:
    """ChangePassword of one's own account; every other session of it ends."""

    user: str
    old: str = field(repr=False)
    new: str = field(repr=False)
    where: str = ""
    keep: str = field(default="", repr=False)
    """The session that stays open."""


CONSOLE, COMMAND_LINE = "console", "command line"
"""`where` of a person who stands before the machine, or has a shell on it. Others: an address, the chassis."""
SECRET = re.compile(r"//[^/@\s]+@")


def person() -> str:
    """Who works on the command line, behind sudo, too."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def told(asked: object) -> str:
    """A request to a daemon as the log of who did what has it: without passwords."""
    table = msgspec.to_builtins(asked)
    hidden = {key: "***" if "password" in key and value else value for key, value in table.items()}
    return SECRET.sub("//***@", msgspec.json.encode(hidden).decode())


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Audit: one line for the log of who did what."""

    who: str
    what: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class AuditListRequest:
    """AuditList: the last entries, newest first; before: only ids below this one."""

    limit: int = 200
    before: int | None = None


@dataclass(frozen=True, slots=True)
class AuditListReply:
    """Answer of AuditList."""

    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class AccountsReply:
    """Answer of ListAccounts."""

    accounts: tuple[AccountView, ...]
    tokens: tuple[TokenView, ...] = ()


@dataclass(frozen=True, slots=True)
class AddAccountRequest:
    """AddAccount. actor: the session or API token of an administrator. The new account must change its password."""

    actor: str = field(repr=False)
    name: str
    role: Role
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NamedAccountRequest:
    """RemoveAccount, RemoveToken. actor: the session or API token of an administrator."""

    actor: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class AddTokenRequest:
    """AddToken: a new API token called `name`, with the rights of `account`. actor: as above."""

    actor: str = field(repr=False)
    name: str
    account: str


@dataclass(frozen=True, slots=True)
class ActorRequest:
    """ListAccounts. actor: the session or API token of an administrator."""

    actor: str = field(repr=False)
