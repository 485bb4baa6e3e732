// Virtual drives with progress, drives, and the way to simple configuration.

import { mayChange, order, said, tell } from "./api.js";
import { close, fact, frame, openBay, show } from "./bay.js";
import { h, put, table, word } from "./dom.js";
import { care, nextCheck, openRepair } from "./care.js";
import { openDelete } from "./delete.js";
import { fromElsewhere, openAbandon } from "./foreign.js";
import { tone } from "./drives.js";
import { bytes, percent, raid, seconds, time } from "./format.js";
import { known, redundant } from "./store.js";
import { openSetup } from "./setup.js";
import { spares } from "./spares.js";

const bays = (list) => list.map((bay) => bay ?? "?").join(" ");

function work(vd) {
  const progress = vd.progress;
  if (!progress) return [];
  const speed = progress.speed ? `, ${bytes(progress.speed)}/s` : "";
  return h("div", { class: "work" },
    h("progress", { max: 100, value: progress.percent, "aria-label": `${vd.name}: ${progress.kind}` }),
    h("span", {}, `${progress.kind} ${percent(progress.percent)}${speed}, time left ${seconds(progress.seconds_left)}`));
}

function buttons(vd, data) {
  if (!mayChange) return [];
  if (data.unmade?.includes(vd.name)) return h("div", { class: "buttons" }, h("button", { "data-key": `abandon-${vd.name}`, onclick: () => openAbandon(vd.name) }, `Give up ${vd.name} …`));
  const all = [];
  if (vd.progress?.kind === "Check") all.push(["Stop the check", "StopCheck"]);
  else if (!vd.progress && vd.state === "Optimal") all.push(["Check parity", "StartCheck"]);
  if (vd.state === "Offline") all.push(["Start it", "StartVd"]);
  return h("div", { class: "buttons" },
    all.map(([label, command]) => h("button", { "data-key": `${command}-${vd.name}`, onclick: () => tell("raid", command, { name: vd.name }) }, label)),
    ["Failed", "Offline"].includes(vd.state) ? h("button", { "data-key": `recover-${vd.name}`, onclick: () => openRecover(vd.name) }, "Recover …") : [],
    vd.mountpoint ? h("button", { "data-key": `stop-${vd.name}`, onclick: () => openStop(vd.name) }, "Stop it …") : [],
    h("button", { "data-key": `delete-${vd.name}`, "aria-label": `Delete ${vd.name}`, onclick: () => openDelete(vd.name) }, "Delete …"));
}

function openStop(name) {
  show(() => frame(`Stop ${name}`, h("p", {}, "It is unmounted and put to rest: nothing is recorded to it until somebody starts it again. What is on it stays."),
    h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", onclick: async () => {
      if (await tell("raid", "StopVd", { name })) close();
    } }, `Stop ${name}`), h("button", { "data-key": "back", onclick: close }, "Back"))));
}

async function openRecover(name) {
  let plan;
  try {
    plan = await order("raid", "PlanRecover", { name });
  } catch (error) {
    plan = { refused: said(error) };
  }
  show(() => frame(`Recover ${name}`,
    plan.refused ? h("p", { class: "problem" }, plan.refused) : [
      h("dl", { class: "facts" }, fact("Started from bays", bays(plan.bays)), fact("Left out", bays(plan.left_out) || "none")),
      h("p", { class: "problem" }, `This may lose: ${plan.loses}`),
      h("div", { class: "buttons" }, h("button", { class: "danger", onclick: async () => {
        if (await tell("raid", "RecoverVd", { name, fingerprint: plan.fingerprint })) close();
      } }, `Recover ${name}`))]));
}

function virtualDrive(vd, data) {
  const check = data.checks.find((one) => one.vd === vd.name);
  return h("article", { class: `card vd ${tone(vd.state)}` },
    h("h3", {}, `${vd.name} `, word(vd.state, tone(vd.state))),
    h("p", {}, `${raid(vd.level, vd.spans?.length)}, ${bytes(vd.size)}, bays ${bays(vd.bays)}${vd.group ? `, a part of drive group ${vd.group}` : ""}; `,
      vd.tolerance === 0 ? h("strong", { class: "word-bad" }, "may lose no drive now") : `may lose ${vd.tolerance} drive${vd.tolerance > 1 ? "s" : ""}`),
    vd.detail ? h("p", {}, vd.detail) : [],
    vd.spans?.length ? h("ul", { class: "spans" }, vd.spans.map((span) => h("li", {}, `Span ${span.number}, bays ${bays(span.bays)}: `, word(span.state, tone(span.state)),
      span.tolerance === 0 ? h("strong", { class: "word-bad" }, ", may lose no drive") : `, may lose ${span.tolerance}`, span.detail ? `. ${span.detail}` : ""))) : [],
    work(vd),
    vd.ppl ? h("p", { class: "quiet" }, "A partial parity log keeps a power cut from tearing a stripe.") : [],
    h("p", { class: "quiet" }, vd.mountpoint ? `Mounted at ${vd.mountpoint}. ` : "Not mounted: nothing is recorded to it. ",
      check ? [`Last check ${time(check.finished)}: `, word(check.verdict, tone(check.verdict)), check.wrong_count ? ` (${check.wrong_count} stripes)` : ""] : "Never checked.", nextCheck(data, vd.name)),
    check && check.verdict !== "Clean" ? h("p", { class: "quiet" }, check.detail) : [],
    mayChange && check?.wrong_count && !vd.progress ? h("div", { class: "buttons" }, h("button", { "data-key": `repair-${vd.name}`, onclick: () => openRepair(vd.name) }, "Repair …")) : [],
    buttons(vd, data));
}

function driveRow(drive) {
  const bay = drive.bay === null ? "-" : h("button", { class: "plain", "data-key": `drive-${drive.bay}-${drive.serial}`, onclick: () => openBay(drive.bay), "aria-label": `Bay ${drive.bay}` }, String(drive.bay));
  return [bay, word(drive.state, tone(drive.state)), drive.model || "unknown", h("span", { class: "mono" }, drive.serial || "unknown"), bytes(drive.size), drive.vd ? `${drive.vd}${drive.span ? `, span ${drive.span}` : ""}` : "-", drive.detail];
}

export function storage(body) {
  const data = known("raid");
  if (!data) return put(body, h("p", { class: "unknown" }, "unknown"));
  const blank = data.drives.filter((drive) => drive.state === "Blank" && drive.bay !== null).length;
  return put(body,
    data.problems.map((text) => h("p", { class: "problem" }, text)),
    data.jobs.filter((job) => job.state === "Failed" || job.state === "Interrupted").map((job) => h("p", { class: "problem" }, `${job.vd}: ${job.kind}: ${job.state}. ${job.error}`)),
    data.virtual_drives.length ? h("div", { class: "cards" }, data.virtual_drives.map((vd) => virtualDrive(vd, data)))
      : redundant() ? h("p", {}, "There is no virtual drive.") : h("p", { class: "problem" }, "There is no virtual drive, so nothing is recorded."),
    fromElsewhere(data),
    mayChange ? h("div", { class: "buttons" }, h("button", { class: data.virtual_drives.length ? "" : "main", "data-key": "setup", onclick: openSetup }, `New virtual drives … (${blank} blank drive${blank === 1 ? "" : "s"})`)) : [],
    table(["Bay", "State", "Model", "Serial", "Capacity", "VD", ""], data.drives.map(driveRow), "Drives"),
    spares(data), care(data));
}
