// Care for parity and drives: repair of wrong stripes after its plan was seen, patrol read, and what comes by itself.

import { mayChange, order, said, tell } from "./api.js";
import { close, fact, frame, show } from "./bay.js";
import { h, table } from "./dom.js";
import { bytes, percent, raid, seconds, time } from "./format.js";
import { asking } from "./spares.js";

export async function openRepair(name) {
  let plan;
  try {
    plan = await order("raid", "PlanRepair", { name });
  } catch (error) {
    show(() => frame(`Repair ${name}`, h("p", { class: "problem" }, said(error))));
    return;
  }
  const rows = plan.stripes.map((one) => [`${one.span ? `span ${one.span}, ` : ""}${one.stripe}`, one.members.length ? one.members.map((bay) => bay ?? "?").join(" ") : "not known", one.left || "will be written"]);
  show(() => frame(`Repair ${name}`,
    h("dl", { class: "facts" }, fact("Virtual drive", `${name}, ${raid(plan.level)}`), fact("Found by the check of", time(plan.checked)), fact("Stripes to write", String(plan.count))),
    h("p", { class: "problem" }, plan.means),
    rows.length ? table(["Stripe", "Wrong in bays", ""], rows, "Stripes") : [],
    h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", disabled: !plan.count, onclick: async () => {
      if (await tell("raid", "StartRepair", { name, fingerprint: plan.fingerprint })) close();
    } }, `Repair ${name}`), h("button", { "data-key": "back", onclick: close }, "Back"))));
}

// What a card says of the next check.
export function nextCheck(data, name) {
  const one = (data.upkeep ?? []).find((upkeep) => upkeep.vd === name);
  if (!one) return "";
  return one.next_check === null ? " Never checked by itself." : ` Next check ${time(one.next_check)}${one.why ? `, ${one.why}` : ""}.`;
}

function openSchedule(schedule) {
  const fields = [["check_days", "Days between two parity checks (0: never)", 0, 3650], ["patrol_days", "Days between two patrol reads (0: never)", 0, 3650],
    ["quiet_from", "Only from this hour", 0, 23], ["quiet_until", "Until this hour (the same: at any time)", 0, 23]];
  asking("What comes by itself", "Checks and patrol reads begin only within these hours of the machine's own time.",
    fields.map(([key, label, min, max]) => [h("label", { for: `schedule-${key}` }, label), h("input", { id: `schedule-${key}`, type: "number", min, max, step: key.endsWith("days") ? "any" : 1, required: true, value: schedule[key] })]),
    "Set", (form) => order("raid", "SetSchedule", Object.fromEntries(fields.map(([key]) => [key, Number(form.querySelector(`#schedule-${key}`).value)]))));
}

export function care(data) {
  const { patrol, schedule } = data;
  if (!patrol || !schedule) return [];
  const hours = schedule.quiet_from === schedule.quiet_until ? "at any hour" : `from ${schedule.quiet_from} to ${schedule.quiet_until} h`;
  const every = (days) => (days ? `every ${days} day${days === 1 ? "" : "s"}` : "never");
  return [
    h("h3", {}, "Patrol read"),
    patrol.percent === null ? [] : h("div", { class: "work" }, h("progress", { max: 100, value: patrol.percent, "aria-label": "Patrol read" }),
      h("span", {}, patrol.running ? `${percent(patrol.percent)}${patrol.speed ? `, ${bytes(patrol.speed)}/s` : ""}, time left ${seconds(patrol.seconds_left)}` : `${percent(patrol.percent)}; it goes on from there`)),
    h("p", { class: "quiet" }, patrol.finished === null ? "All drives have never been read yet." : patrol.unread.length ? `The last patrol read ended at ${time(patrol.finished)}, and could not read every drive.` : `All drives were read last at ${time(patrol.finished)}.`, patrol.next === null ? "" : ` Next ${time(patrol.next)}.`,
      ` By itself: parity checks ${every(schedule.check_days)}, patrol reads ${every(schedule.patrol_days)}, ${hours}.`),
    patrol.bad.length ? table(["Bay", "Serial", "Place", "VD", ""], patrol.bad.map((one) => [String(one.bay ?? "-"), h("span", { class: "mono" }, one.serial), `${one.lba}, ${one.sectors} sector${one.sectors === 1 ? "" : "s"}`, one.vd ?? "-", one.detail]), "Unreadable places") : [],
    patrol.unread.length ? table(["Bay", "Serial", "Not read because"], patrol.unread.map((one) => [String(one.bay ?? "-"), h("span", { class: "mono" }, one.serial), one.why]), "Drives that were not read") : [],
    mayChange ? h("div", { class: "buttons" },
      patrol.running ? h("button", { "data-key": "stop-patrol", onclick: () => tell("raid", "StopPatrol") }, "Stop the patrol read") : h("button", { "data-key": "start-patrol", onclick: () => tell("raid", "StartPatrol") }, "Read all drives now"),
      h("button", { "data-key": "schedule", onclick: () => openSchedule(schedule) }, "What comes by itself …")) : []];
}
