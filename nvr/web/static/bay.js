// One bay in a dialog: its drive, S.M.A.R.T. when it is known, locate, and the way to the replace wizard.

import { mayChange, order, said, tell } from "./api.js";
import { $, h, put, table, toast, word } from "./dom.js";
import { bayView, driveOf, drivesIn, tone } from "./drives.js";
import { bytes, seconds, time } from "./format.js";
import { light } from "./leds.js";
import { known, listen, live, now, old } from "./store.js";
import { startReplace } from "./replace.js";
import { canSpare, lacking, openRebuildOn, openSpare } from "./spares.js";

let shown = null; // what draws the dialog, while it is open
let opener; // data-key of what opened it
const dialog = $("#dialog");

export function show(draw) {
  shown = draw;
  if (!dialog.open) opener = document.activeElement?.dataset?.key;
  draw();
  if (!dialog.open) dialog.showModal();
}

export const close = () => dialog.close();
export const frame = (title, ...rest) => put(dialog,
  h("div", { class: "head" }, h("h2", { id: "dialog-title" }, title), h("button", { "data-key": "close", "aria-label": "Close", onclick: close }, "✕")), ...rest);

dialog.addEventListener("close", () => {
  shown = null;
  const back = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === opener); // perhaps drawn anew meanwhile
  if (opener && document.activeElement !== back) back?.focus();
});
export function refresh() { // what a person types is never overwritten by news
  if (shown && !dialog.querySelector("input:focus, select:focus")) shown();
}
listen((key) => ["raid", "panel", "line"].includes(key) && refresh());

export const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value ?? h("span", { class: "unknown" }, "unknown"))];

// What the drive says of itself. A figure that it does not tell is said to be unknown where such a drive should have it.
function smart(drive) {
  const found = drive?.device ? drive.smart : null;
  if (!found) return fact("S.M.A.R.T.", null);
  const told = found.figures;
  const of = (value, unit) => (value === null ? null : `${value}${unit}`);
  const own = { true: "PASSED", false: "FAILED" }[told.passed];
  const counts = [["reallocated", "reallocated"], ["pending", "pending"], ["uncorrectable", "uncorrectable"], ["grown_defects", "grown defects"]]
    .filter(([key]) => told[key] !== null).map(([key, name]) => `${told[key]} ${name}`).join(", ");
  const when = found.read === null ? "never read" : ["read ", h("time", { "data-at": found.read, title: time(found.read) }, seconds(now() - found.read), " ago")];
  return [
    fact("S.M.A.R.T.", found.health === "Unknown" ? null : word(found.health, tone(found.health))),
    found.detail ? fact("", found.detail) : [],
    fact("", h("span", { class: "quiet" }, `The drive's own verdict: ${own ?? "unknown"}; `, when, found.asleep ? "; it sleeps and was not woken" : "")),
    fact("Temperature", of(told.temperature, " °C")),
    told.hours === null ? [] : fact("Powered on", of(told.hours, " h")),
    told.wear === null ? [] : fact("Endurance used", of(told.wear, " %")),
    told.spare === null ? [] : fact("Spare blocks left", of(told.spare, " %")),
    fact("Bad sectors", counts || null)];
}

export function facts(bay) {
  const [view, drive] = [bayView(bay), driveOf(bay)];
  const present = view?.present;
  return h("dl", { class: "facts" },
    fact("Drive", present === false ? "none" : present ? "present" : null),
    fact("State", drive ? word(drive.state, tone(drive.state)) : present === false ? "empty" : null),
    drive?.detail ? fact("", drive.detail) : [],
    fact("Model", drive?.model || view?.model),
    fact("Serial", drive?.serial || view?.serial),
    fact("Capacity", drive ? bytes(drive.size) : null),
    fact("Device", drive?.device ?? view?.device ?? (present === false ? "none" : null)),
    fact("Virtual drive", drive ? drive.vd ?? "none" : null),
    smart(drive),
    fact("Lights", view && light(known("panel"), view)));
}

export async function locate(bay, on) {
  try {
    toast((await order("panel", "Locate", { bay, on })).text);
    return true;
  } catch (error) {
    toast(said(error), "bad");
    return false;
  }
}

export const mustClear = (drive) => drive && ["Foreign", "Stale", "Unconfigured Bad", "Unconfigured Good"].includes(drive.state) && drive.vd === null && drive.bay !== null;

// What the drive said earlier: drawn once, it is no news.
async function openHistory(bay) {
  const drive = driveOf(bay);
  const cell = (value) => (value === null ? h("span", { class: "unknown" }, "unknown") : String(value));
  try {
    const kept = await order("raid", "SmartHistory", { serial: drive.serial, limit: 100 });
    const rows = kept.records.map((one) => [time(one.at), word(one.health, tone(one.health)),
      ...["temperature", "hours", "wear", "reallocated", "pending", "uncorrectable", "grown_defects"].map((key) => cell(one.figures[key]))]);
    let drawn = false;
    show(() => {
      if (drawn) return;
      drawn = true;
      frame(`S.M.A.R.T. of the drive in bay ${bay}`, h("p", { class: "quiet" }, `${drive.model} ${drive.serial}`),
        rows.length ? table(["When", "S.M.A.R.T.", "°C", "Hours", "Used %", "Reallocated", "Pending", "Uncorrectable", "Grown"], rows, "Earlier readings") : h("p", {}, "No reading is kept yet."),
        h("div", { class: "buttons" }, h("button", { "data-key": "back", onclick: () => openBay(bay) }, "Back")));
    });
  } catch (error) {
    toast(said(error), "bad");
  }
}

export function openBay(bay) {
  show(() => {
    const [view, drive] = [bayView(bay), driveOf(bay)];
    const others = drivesIn(bay).filter((one) => one !== drive);
    const stale = live("panel") && live("raid") ? [] : h("p", { class: "problem" }, `What is shown here is ${seconds(Math.max(old("panel"), old("raid")))} old: ${live("panel") ? "rackeye-raidd" : "rackeye-paneld"} does not answer.`);
    frame(`Bay ${bay}`, stale, facts(bay),
      others.map((one) => h("p", { class: "problem" }, `Should be here: ${one.model} ${one.serial}, ${one.state}. ${one.detail}`)),
      mayChange ? drivesIn(bay).filter((one) => one.state === "Missing").map((one) => h("div", { class: "buttons" },
        h("button", { "data-key": `dismiss-${one.serial}`, onclick: () => tell("raid", "DismissDrive", { bay, serial: one.serial }) }, `Show ${one.serial} no more`))) : [],
      drive?.device && drive.serial ? h("div", { class: "buttons" },
        h("button", { "data-key": "history", onclick: () => openHistory(bay) }, "Earlier S.M.A.R.T. …"),
        mayChange ? h("button", { "data-key": "ask", onclick: () => tell("raid", "ReadSmart", { bay }) }, "Ask the drive now") : []) : [],
      mayChange ? h("div", { class: "buttons" },
        h("button", { "data-key": "locate", class: "main", disabled: !view, onclick: () => locate(bay, !view?.locate) }, view?.locate ? "Stop blinking" : "Make it blink"),
        h("button", { "data-key": "replace", onclick: () => startReplace(bay) }, "Replace this drive …"),
        canSpare(drive) ? h("button", { "data-key": "spare", onclick: () => openSpare(bay) }, drive.state === "Blank" ? "Make it a hot spare …" : "Change the hot spare …") : [],
        lacking(drive) ? h("button", { "data-key": "rebuild-on", onclick: () => openRebuildOn(bay, lacking(drive)) }, `Rebuild ${lacking(drive).name} on it …`) : [],
        mustClear(drive) ? h("button", { "data-key": "clear", onclick: () => openClear(bay) }, "Clear it …") : []) : h("p", { class: "quiet" }, "A viewer may look, not change."));
  });
}

// Destroys what is on the drive: what that is, or why it is refused, as the machine answers it, and its serial number typed.
export async function openClear(bay, after = openBay) {
  const drive = driveOf(bay);
  const back = () => h("button", { "data-key": "back", onclick: () => after(bay) }, "Back");
  let plan;
  try {
    plan = await order("raid", "PlanClear", { bay, serial: drive.serial });
  } catch (error) {
    show(() => frame(`Clear the drive in bay ${bay}`, h("p", { class: "problem" }, said(error)), h("div", { class: "buttons" }, back())));
    return;
  }
  const typed = h("input", { id: "serial", autocomplete: "off", spellcheck: "false", "data-key": "serial" });
  const go = h("button", { class: "danger", disabled: true, "data-key": "go", onclick: async () => {
    if (await tell("raid", "ClearDrive", { bay, serial: plan.serial })) after(bay);
  } }, "Clear this drive");
  typed.addEventListener("input", () => (go.disabled = typed.value.trim() !== plan.serial));
  let drawn = false;
  show(() => {
    if (drawn) return;
    drawn = true;
    frame(`Clear the drive in bay ${bay}`, facts(bay),
      plan.refusal ? [h("p", { class: "problem" }, `It cannot be cleared: ${plan.refusal}`), h("div", { class: "buttons" }, back())]
        : [h("p", { class: "problem" }, `Whatever is on ${plan.model} ${plan.serial} in bay ${bay} will be lost. ${plan.loses}`),
          h("label", { for: "serial" }, "Type its serial number to go on"), typed, h("div", { class: "buttons" }, go, back())]);
  });
}
