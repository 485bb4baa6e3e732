"""Accounts on the bus: the commands that boxd offers in org.rackeye.Box1.Admin, over core/accounts.

The web process owns nothing and is trusted with nothing: it can open a session only with a password, and change
accounts only with the session or API token of an administrator, which is looked at here once more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from core.accounts import Accounts
from core.accounts_model import (
    Account,
    AccountsReply,
    ActorRequest,
    AddAccountRequest,
    AddTokenRequest,
    AuditListReply,
    AuditListRequest,
    AuditRequest,
    ChangePasswordRequest,
    LoginRequest,
    NamedAccountRequest,
    Role,
    SessionReply,
    TokenRequest,
)
from core.bus import Command, Nothing, Sentence
from core.errors import AccountLocked, MustChangePassword, NotPermitted, WrongLogin

T = TypeVar("T")
R = TypeVar("R")
Wrong = Callable[[], Awaitable[None]]


def account_commands(accounts: Accounts, on_wrong_password: Wrong | None = None) -> tuple[Command[Any, Any], ...]:
    """The commands. on_wrong_password: awaited after each wrong one (spec/panel.md: one beep)."""
    service = _Service(accounts)

    def command(name: str, request: type[T], reply: type[R], handler: Callable[[T], R]) -> Command[T, R]:
        async def answer(asked: T) -> R:
            try:
                return await asyncio.to_thread(handler, asked)
            except WrongLogin:
                if on_wrong_password is not None:
                    await on_wrong_password()
                raise

        return Command(name, request, reply, answer)

    return (
        command("Authenticate", LoginRequest, Account, service.authenticate),
        command("OpenSession", LoginRequest, SessionReply, service.open_session),
        command("Session", TokenRequest, Account, service.session),
        command("ApiToken", TokenRequest, Account, service.api_token),
        command("CloseSession", TokenRequest, Nothing, service.close_session),
        command("ChangePassword", ChangePasswordRequest, Sentence, service.change_password),
        command("Audit", AuditRequest, Nothing, service.audit),
        command("AuditList", AuditListRequest, AuditListReply, service.audit_list),
        command("ListAccounts", ActorRequest, AccountsReply, service.list_accounts),
        command("AddAccount", AddAccountRequest, Sentence, service.add_account),
        command("RemoveAccount", NamedAccountRequest, Sentence, service.remove_account),
        command("AddToken", AddTokenRequest, Sentence, service.add_token),
        command("RemoveToken", NamedAccountRequest, Sentence, service.remove_token),
    )


class _Service:
    """One method a command; each runs in a worker thread."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def authenticate(self, asked: LoginRequest) -> Account:
        try:
            return self._accounts.authenticate(asked.user, asked.password, asked.where)
        except (WrongLogin, AccountLocked) as error:
            self._accounts.audit(asked.user, f"login refused: {error.sentence}", asked.where)
            raise

    def open_session(self, asked: LoginRequest) -> SessionReply:
        account = self.authenticate(asked)
        self._accounts.audit(account.name, "logged in", asked.where)
        return SessionReply(self._accounts.open_session(account), account)

    def session(self, asked: TokenRequest) -> Account:
        return self._accounts.session(asked.token)

    def api_token(self, asked: TokenRequest) -> Account:
        return self._accounts.token(asked.token)

    def close_session(self, asked: TokenRequest) -> Nothing:
        self._accounts.close_session(asked.token)
        return Nothing()

    def change_password(self, asked: ChangePasswordRequest) -> Sentence:
        self._accounts.change_password(asked.user, asked.old, asked.new, asked.where, asked.keep)
        self._accounts.audit(asked.user, "changed the own password", asked.where)
        return Sentence("The password is changed; other sessions of this account have ended.")

    def audit(self, asked: AuditRequest) -> Nothing:
        self._accounts.audit(asked.who, asked.what, asked.where)
        return Nothing()

    def audit_list(self, asked: AuditListRequest) -> AuditListReply:
        return AuditListReply(self._accounts.audit_list(asked.limit, asked.before))

    def list_accounts(self, asked: ActorRequest) -> AccountsReply:
        self._administrator(asked.actor)
        return AccountsReply(self._accounts.list(), self._accounts.tokens())

    def add_account(self, asked: AddAccountRequest) -> Sentence:
        actor = self._administrator(asked.actor)
        self._accounts.add(asked.name, asked.role, asked.password)
        return self._did(actor, f"Account {asked.name} ({asked.role.value}) is added; its password must be changed.")

    def remove_account(self, asked: NamedAccountRequest) -> Sentence:
        actor = self._administrator(asked.actor)
        self._accounts.remove(asked.name)
        return self._did(actor, f"Account {asked.name} is removed.")

    def add_token(self, asked: AddTokenRequest) -> Sentence:
        actor = self._administrator(asked.actor)
        text = self._accounts.add_token(asked.name, asked.account)
        self._did(actor, f"API token {asked.name} for {asked.account} is made.")
        return Sentence(text)

    def remove_token(self, asked: NamedAccountRequest) -> Sentence:
        actor = self._administrator(asked.actor)
        self._accounts.remove_token(asked.name)
        return self._did(actor, f"API token {asked.name} is removed.")

    def _did(self, actor: Account, sentence: str) -> Sentence:
        self._accounts.audit(actor.name, sentence, "")
        return Sentence(sentence)

    def _administrator(self, actor: str) -> Account:
        """Whose session or API token it is. Raises SessionOver, MustChangePassword, NotPermitted."""
        account = self._accounts.token(actor) if actor.startswith("rke_") else self._accounts.session(actor)
        if account.must_change:
            raise MustChangePassword("The password must be changed first.", hint="Do it on the page, or by the CLI.")
        if account.role is not Role.ADMINISTRATOR:
            raise NotPermitted(f"{account.name} is a viewer.", hint="Ask an administrator.")
        return account
