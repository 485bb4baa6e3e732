// Accounts and API tokens, for administrators.

import { get, mayChange, order, said, tell } from "./api.js";
import { close, frame, show } from "./bay.js";
import { $, h, put, table, toast } from "./dom.js";
import { time } from "./format.js";
import { now } from "./store.js";

const field = (id, label, more = {}) => [h("label", { for: `people-${id}` }, label), h("input", { id: `people-${id}`, name: id, autocomplete: "off", required: true, ...more })];
const select = (id, label, options) => [h("label", { for: `people-${id}` }, label), h("select", { id: `people-${id}`, name: id }, options.map((one) => h("option", { value: one }, one)))];

function form(title, command, fields, done) {
  const failed = h("div", { role: "alert" });
  const send = async (event) => {
    event.preventDefault();
    put(failed, h("p", { class: "waiting" }, "Being asked …"));
    try {
      const reply = await order("accounts", command, Object.fromEntries(new FormData(event.target)));
      await people();
      done(reply);
    } catch (error) {
      put(failed, h("p", { class: "problem" }, said(error)));
    }
  };
  let drawn = false;
  show(() => {
    if (drawn) return;
    drawn = true;
    frame(title, h("form", { class: "fields", onsubmit: send }, fields, h("button", { class: "main", type: "submit" }, title)), failed);
  });
}

const say = (reply) => {
  toast(reply.text);
  close();
};

// Shown once: it is kept nowhere but as a hash.
const reveal = (reply) => show(() => frame("The new API token", h("p", { class: "waiting" }, "Copy it now: it is shown this once."), h("p", { class: "mono" }, reply.text)));

function removing(command, name) {
  show(() => frame(`Remove ${name}`, h("p", {}, "It is of no use from then on."),
    h("div", { class: "buttons" }, h("button", { class: "danger", onclick: async () => {
      if (await tell("accounts", command, { name })) {
        close();
        people();
      }
    } }, `Remove ${name}`), h("button", { onclick: close }, "Back"))));
}

export async function people() {
  const body = $("#people .body");
  if (!mayChange) return put(body, h("p", { class: "quiet" }, "Administrators see accounts here."));
  let data;
  try {
    data = await get("accounts");
  } catch (error) {
    return put(body, h("p", { class: "problem" }, said(error)));
  }
  const remove = (command, name) => h("button", { class: "plain", "data-key": `${command}-${name}`, "aria-label": `Remove ${name}`, onclick: () => removing(command, name) }, "Remove …");
  const names = data.accounts.map((one) => one.name);
  return put(body,
    table(["Account", "Role", "Password", "Last login", ""], data.accounts.map((one) => [
      h("strong", {}, one.name), one.role, one.must_change ? "to be changed" : "set", one.last_login === null ? "never" : time(one.last_login), remove("RemoveAccount", one.name)]), "Accounts"),
    data.tokens.length ? table(["API token", "Account", "Made", "Last used", ""], data.tokens.map((one) => [
      h("strong", {}, one.name), one.account, time(one.created), one.last_used === null ? "never" : time(one.last_used), remove("RemoveToken", one.name)]), "API tokens") : [],
    h("p", { class: "quiet" }, `As it was at ${time(now())}.`),
    h("div", { class: "buttons" },
      h("button", { "data-key": "add-account", onclick: () => form("Add account", "AddAccount", [field("name", "Name"), select("role", "Role", ["viewer", "administrator"]), field("password", "First password (to be changed at the first login)", { type: "password", minlength: 8, autocomplete: "new-password" })], say) }, "Add an account …"),
      h("button", { "data-key": "add-token", onclick: () => form("Make API token", "AddToken", [field("name", "Name"), select("account", "With the rights of", names)], reveal) }, "Make an API token …")));
}
