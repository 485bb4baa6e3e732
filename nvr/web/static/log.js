// Who did what, newest first.

import { get, said } from "./api.js";
import { $, h, put, table } from "./dom.js";
import { time } from "./format.js";
import { now } from "./store.js";

let entries = [];
let end = false;

export async function log(older = false) {
  const body = $("#log .body");
  try {
    const before = older && entries.length ? `&before=${entries.at(-1).id}` : "";
    const page = (await get(`audit?limit=50${before}`)).entries;
    entries = older ? [...entries, ...page] : page;
    end = page.length < 50;
  } catch (error) {
    return put(body, h("p", { class: "problem" }, said(error)));
  }
  const rows = entries.map((entry) => [time(entry.at), entry.who, entry.what, entry.where || "-"]);
  return put(body,
    h("div", { class: "buttons" }, h("button", { "data-key": "again", onclick: () => log() }, "Look again"), h("span", { class: "quiet" }, `As it was at ${time(now())}.`)),
    rows.length ? table(["When", "Who", "What", "From"], rows, "Log") : h("p", {}, "Nothing yet."),
    end ? [] : h("div", { class: "buttons" }, h("button", { "data-key": "older", onclick: () => log(true) }, "Older")));
}
