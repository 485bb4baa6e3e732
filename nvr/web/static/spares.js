// Hot spares and rates: what stands ready for a failed drive, and how much of the drives long work may take.

import { mayChange, order, said, tell } from "./api.js";
import { close, frame, openBay, show } from "./bay.js";
import { h, put, table, toast, word } from "./dom.js";
import { driveOf } from "./drives.js";
import { bytes } from "./format.js";
import { known } from "./store.js";

const TONES = { Ready: "good", "In use": "warn", Returning: "warn", Failed: "bad", Missing: "bad", "Not blank": "warn" };
export const RATES = { rebuild: "Rebuild", initialization: "Initialization", check: "Parity check", reconstruction: "Reconstruction", patrol: "Patrol read" };

const whose = (spare) => (spare.dedicated ? `${spare.dedicated} only` : `any virtual drive${spare.affinity ? ", near its own first" : ""}`);

function row(spare) {
  const where = spare.bay === null ? "-" : h("button", { class: "plain", "data-key": `spare-${spare.serial}`, "aria-label": `Bay ${spare.bay}`, onclick: () => openBay(spare.bay) }, String(spare.bay));
  const serves = spare.serving ? ` It stands in ${spare.serving}${spare.home_bay === null ? "" : ` for bay ${spare.home_bay}`}.` : "";
  return [where, word(spare.state, TONES[spare.state] ?? "unknown"), spare.model || "unknown", h("span", { class: "mono" }, spare.serial), bytes(spare.size), whose(spare), `${spare.detail}${serves}`,
    mayChange ? h("button", { class: "plain", "data-key": `no-spare-${spare.serial}`, "aria-label": `No hot spare any more: ${spare.serial}`, onclick: () => openRemove(spare) }, "Remove …") : ""];
}

function openRemove(spare) {
  show(() => frame(`No hot spare any more: ${spare.serial}`,
    h("p", {}, spare.serving ? `It stays in ${spare.serving} for good, and is not given back when the failed drive is replaced.` : "Nothing stands ready in its place then."),
    h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", onclick: async () => {
      if (await tell("raid", "RemoveSpare", { serial: spare.serial })) close();
    } }, "Remove"), h("button", { "data-key": "back", onclick: close }, "Back"))));
}

// A form in the dialog that news do not take away; send() gives the command.
export function asking(title, text, fields, label, send) {
  const failed = h("div", { role: "alert" });
  const form = h("form", { class: "fields", onsubmit: async (event) => {
    event.preventDefault();
    put(failed, h("p", { class: "waiting" }, "Being asked …")); // a refusal of before is over
    try {
      const reply = await send(form);
      toast(reply.text ?? reply.sentence ?? "Done.");
      close();
    } catch (error) {
      put(failed, h("p", { class: "problem" }, said(error)));
    }
  } }, fields, h("button", { class: "main", type: "submit", "data-key": "go" }, label));
  let drawn = false;
  show(() => {
    if (drawn) return;
    drawn = true;
    frame(title, h("p", {}, text), form, failed);
  });
}

export const canSpare = (drive) => known("raid")?.spares !== undefined && drive?.bay !== null && ["Blank", "Hot Spare"].includes(drive?.state);

export function openSpare(bay) {
  const drive = driveOf(bay);
  const vds = (known("raid")?.virtual_drives ?? []).filter((vd) => vd.tolerance > 0 || vd.state !== "Optimal");
  const choice = h("select", { id: "spare-for" }, h("option", { value: "" }, "any virtual drive"), vds.map((vd) => h("option", { value: vd.name }, `${vd.name} only`)));
  const near = h("input", { id: "spare-near", type: "checkbox" });
  asking(`Hot spare in bay ${bay}`, `${drive.model} ${drive.serial}, ${bytes(drive.size)}: it takes the place of a drive that fails, by itself and at once.`,
    [h("label", { for: "spare-for" }, "For"), choice, h("label", { for: "spare-near", class: "check" }, near, " in its own enclosure first")],
    "Make it a hot spare", () => order("raid", "AddSpare", { bay, serial: drive.serial, dedicated: choice.value || null, affinity: near.checked }));
}

// The virtual drive that could be rebuilt on this blank drive, whatever bay it is in: one that lacks a member.
export const lacking = (drive) => (drive?.state !== "Blank" || drive.bay === null ? null : (known("raid")?.virtual_drives ?? []).find((vd) => ["Degraded", "Partially Degraded"].includes(vd.state) && !vd.progress && !vd.bays.includes(drive.bay)) ?? null);

export function openRebuildOn(bay, vd) {
  const drive = driveOf(bay);
  show(() => frame(`Rebuild ${vd.name} on bay ${bay}`,
    h("p", {}, `${drive.model} ${drive.serial} takes the missing place of ${vd.name} for good, although it is in another bay.`),
    h("div", { class: "buttons" }, h("button", { class: "main", "data-key": "go", onclick: async () => {
      if (await tell("raid", "RebuildOn", { bay, serial: drive.serial, vd: vd.name })) close();
    } }, `Rebuild ${vd.name}`), h("button", { "data-key": "back", onclick: () => openBay(bay) }, "Back"))));
}

function openRates(rates) {
  asking("Rates", "Per cent of what the drives can do that is kept for each kind of work. More is sooner done; recording comes first all the same.",
    rates.map((one) => [h("label", { for: `rate-${one.kind}` }, RATES[one.kind] ?? one.kind), h("input", { id: `rate-${one.kind}`, type: "number", min: 1, max: 100, required: true, value: one.percent })]),
    "Set", async (form) => {
      let reply = { text: "Nothing was changed." };
      for (const one of rates) {
        const percent = Number(form.querySelector(`#rate-${one.kind}`).value);
        if (percent !== one.percent) reply = await order("raid", "SetRate", { kind: one.kind, percent });
      }
      return reply;
    });
}

// Nothing for a raidd that knows no spares.
export function spares(data) {
  if (data.spares === undefined) return [];
  const rates = data.rates ?? [];
  return [
    h("h3", {}, "Hot spares"),
    data.spares.length ? table(["Bay", "State", "Model", "Serial", "Capacity", "For", "", " "], data.spares.map(row), "Hot spares")
      : h("p", { class: "quiet" }, "There is none: a failed drive waits for a person. Choose the bay of a blank drive to make one."),
    rates.length ? h("p", { class: "quiet" }, `Rates: ${rates.map((one) => `${(RATES[one.kind] ?? one.kind).toLowerCase()} ${one.percent} %`).join(", ")}. `,
      mayChange ? h("button", { class: "plain", "data-key": "rates", onclick: () => openRates(rates) }, "Change …") : []) : []];
}

