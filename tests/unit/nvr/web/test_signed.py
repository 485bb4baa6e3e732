"""Who asks is what the guard found, never what was sent: every command of the API that carries it."""

import dataclasses
from typing import Any

import pytest

from core.accounts_model import Account, Role
from nvr.web.api import signed
from nvr.web.guard import Who
from nvr.web.people import ORDERS, fields_of
from nvr.web.rooms import ROOMS, Order

ADA = Who(Account("ada", Role.ADMINISTRATOR), "token", by_cookie=True, where="10.0.0.9")
ALL = [order for room in ROOMS for order in room.orders]
IDENTITY = {"who", "where", "button", "actor", "by", "person", "account", "session", "token"}


@pytest.mark.parametrize("order", ALL, ids=lambda order: order.name)
def test_a_forged_name_does_not_reach_the_daemon(order: Order) -> None:
    fields = {one.name for one in dataclasses.fields(order.request)}
    forged: dict[str, Any] = dict.fromkeys(fields, "root")
    table = dataclasses.asdict(signed(order.request(**forged), ADA)) if fields else {}
    assert {name: table[name] for name in fields & {"who", "where", "button"}} == {
        name: value for name, value in (("who", "ada"), ("where", "10.0.0.9"), ("button", False)) if name in fields
    }
    assert fields & IDENTITY <= {"who", "where", "button"}, "said by the client, and believed"


def test_what_changes_the_box_says_who() -> None:
    """Restore proves it by user and password; the others of boxd carry the name of the session's account."""
    box = next(room for room in ROOMS if room.key == "box")
    silent = [order.name for order in box.orders
              if not order.looks and "who" not in {one.name for one in dataclasses.fields(order.request)}]
    assert silent == ["Restore"]


def test_accounts_take_the_actor_from_the_session() -> None:
    assert all("actor" not in fields_of(kind) for kind, _ in ORDERS.values())
