// Open alarms with what to do, those cleared lately, and the one word on top.

import { mayChange, tell } from "./api.js";
import { $, h, put, word } from "./dom.js";
import { tone } from "./drives.js";
import { seconds, time } from "./format.js";
import { known, live, now, old } from "./store.js";

function alarm(one) {
  const about = [one.bay !== null ? `bay ${one.bay}` : "", one.serial ?? "", one.vd ?? "", one.camera ?? ""].filter(Boolean).join(", ");
  return h("li", { class: `card alarm ${tone(one.level)}` },
    h("h3", {}, word(one.level, tone(one.level)), ` ${one.title}`, about ? h("span", { class: "quiet" }, ` (${about})`) : []),
    h("p", {}, one.text),
    one.hint ? h("p", { class: "todo" }, h("strong", {}, "What to do: "), one.hint) : [],
    h("p", { class: "quiet" }, h("time", { "data-at": one.raised, title: time(one.raised) }, seconds(now() - one.raised), " ago"), `, since ${time(one.raised)}. ${one.code}.`,
      one.acknowledged ? ` Seen ${time(one.acknowledged)}.` : ""),
    mayChange && !one.acknowledged ? h("div", { class: "buttons" }, h("button", { "data-key": `ack-${one.id}`, onclick: () => tell("policy", "Acknowledge", { id: one.id }) }, "I have seen it")) : []);
}

// Nothing is shown for a chassis without a beeper.
function beeper() {
  const state = known("panel")?.beeper;
  if (!state || (state.sound === null && !state.heard.length)) return [];
  const says = { SILENT: "silent", CODE: `plays the code of ${state.code} beeps (rackeye beep explain ${state.code})`, ALARM: "sounds the alarm", OTHER: "sounds" };
  const about = state.heard.length ? `, for ${state.heard.length} of the alarms` : state.silenced.length ? `; ${state.silenced.length} silenced` : "";
  return h("div", { class: "buttons" }, h("span", { title: [...state.heard, ...state.silenced].join(", ") }, `The beeper ${state.sound === "SILENT" ? "is silent" : says[state.sound] ?? "is unknown"}${about}.`, live("panel") ? "" : ` This is ${seconds(old("panel"))} old.`),
    mayChange && state.heard.length ? h("button", { class: "main", "data-key": "silence", onclick: () => tell("panel", "Silence", {}) }, "Silence it") : []);
}

// What paneld sounds the alarm for by itself (nvr/cli/alarm.py).
function ofPanel() {
  const panel = known("panel");
  return [
    panel?.policy_silent ? "rackeye-policyd is silent: nobody watches over the chassis. See: `systemctl status rackeye-policyd`" : [],
    panel?.restoring ? "Restore to default by the reset button begins within a minute. Any button of the chassis ends it." : [],
  ].flat().map((text) => h("p", { class: "problem" }, text));
}

// Who is told, and why not. A test mail shows both before it is needed.
function channels(data) {
  const mail = data.channels.find((one) => one.name === "mail");
  return h("div", { class: "told" },
    data.channels.map((one) => h("p", { class: one.error ? "problem" : "quiet" },
      one.error ? `Alarms cannot be told by ${one.name} to ${one.to.join(", ")}: ${one.error} ` : `Alarms are told by ${one.name} to ${one.to.join(", ")}. `,
      one.waiting ? `${one.waiting} waiting. ` : "", one.last === null ? "Nothing has been told yet." : ["Last ", h("time", { "data-at": one.last, title: time(one.last) }, `${seconds(now() - one.last)} ago`), "."])),
    data.channels.length ? [] : h("p", { class: "quiet" }, "Nobody is told of alarms: no mail server is set (table [mail] in /etc/rackeye/rackeye.toml)."),
    mayChange && mail ? h("div", { class: "buttons" }, h("button", { "data-key": "mail-test", onclick: () => tell("policy", "MailTest") }, "Send a test mail")) : []);
}

export function alarms(body) {
  const data = known("policy");
  if (!data) return put(body, beeper(), ofPanel(), h("p", { class: "unknown" }, "unknown"));
  const silent = Object.entries(data.daemons).filter(([, answers]) => !answers).map(([name]) => name);
  return put(body,
    beeper(), ofPanel(),
    silent.map((name) => h("p", { class: "problem" }, `${name} does not answer: what it watches is unknown.`)),
    data.problems.map((text) => h("p", { class: "problem" }, text)),
    data.alarms.length ? h("ul", { class: "alarms" }, data.alarms.map(alarm)) : h("p", {}, silent.length ? "No alarm is known to be open." : "No alarm is open."),
    data.cleared.length ? h("details", {}, h("summary", {}, `Cleared lately (${data.cleared.length})`),
      h("ul", {}, data.cleared.map((one) => h("li", {}, `${time(one.cleared)} ${one.title}: ${one.cleared_text || one.text}`)))) : [],
    channels(data));
}

const WORDS = { Good: "good", Notice: "notice", Warning: "warn", Critical: "bad" };

export function health() {
  const data = known("policy");
  const sure = data && live("policy");
  const text = sure ? data.health : "Unknown";
  const count = data ? data.alarms.length : null;
  const box = $("#health");
  box.className = `health ${sure ? WORDS[text] ?? "unknown" : "unknown"}`;
  put(box.querySelector(".word"), text);
  put(box.querySelector(".count"), count === null ? "alarms unknown" : `${count} alarm${count === 1 ? "" : "s"}${sure ? "" : ` (${seconds(old("policy"))} old)`}`);
  document.title = `${text === "Good" ? "" : `${text}: `}${document.title.split(": ").at(-1)}`;
}
