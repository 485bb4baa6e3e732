// New virtual drives: by simple configuration, in full from the bays that are chosen, or in the room that a drive group
// has left. The plan as the machine answers it, and only then the making.

import { order, said } from "./api.js";
import { close, frame, show } from "./bay.js";
import { h, put, table, toast } from "./dom.js";
import { bytes, raid } from "./format.js";
import { known } from "./store.js";

const LEVELS = [
  ["5", "RAID5: one drive may fail"], ["6", "RAID6: two drives may fail"], ["1", "RAID1: mirrors"], ["10", "RAID10: one drive of each mirror may fail"],
  ["50", "RAID50: one drive of each span may fail"], ["60", "RAID60: two drives of each span may fail"],
  ["0", "RAID0: NO drive may fail"], ["00", "RAID00: NO drive may fail"],
];
const SPANNED = ["50", "60", "00"], LOGGED = ["5", "50"];
const choice = (id, label, options) => [h("label", { for: id }, label), h("select", { id }, options.map(([value, text]) => h("option", { value }, text)))];

function planned(vd) {
  return [
    h("h3", {}, `${vd.name}: ${raid(vd.level, vd.spans)}, ${bytes(vd.capacity)}`),
    h("p", {}, `${vd.drives.length} drives${vd.spans ? ` in ${vd.spans} spans` : ""}; `, vd.tolerance ? `may lose ${vd.tolerance}` : h("strong", { class: "word-bad" }, "may lose no drive"),
      `; strip ${vd.strip / 1024} KiB, stripe ${vd.stripe / 1024} KiB.`, vd.ppl ? " With a partial parity log." : "", vd.group ? ` A part of drive group ${vd.group}, which has ${bytes(vd.left)} left then.` : ""),
    table(["Bay", "Model", "Serial", "Capacity"], vd.drives.map((drive) => [String(drive.bay ?? "-"), drive.model, h("span", { class: "mono" }, drive.serial), bytes(drive.size)]), `Drives of ${vd.name}`),
  ];
}

export function openSetup() {
  const blank = (known("raid")?.drives ?? []).filter((drive) => drive.state === "Blank" && drive.bay !== null).sort((a, b) => a.bay - b.bay);
  const groups = (known("raid")?.groups ?? []).filter((group) => group.shared && group.largest > 0);
  const result = h("div", { "aria-live": "polite" });
  const chosen = () => [...form.querySelectorAll("input[name=bay]:checked")].map((one) => Number(one.value));
  const part = () => ({ full: true, name: form.vdname.value.trim(), size: Math.round(Number(form.size.value || 0) * 1e9) });
  const wish = () => {
    const group = groups.find((one) => form.how.value === "group" && one.name === form.group.value);
    if (group) return { ...part(), group: group.name, level: group.level, strip: group.strip, size: part().size || group.largest };
    return {
      level: Number(form.level.value), strip: Number(form.strip.value) * 1024,
      spans: SPANNED.includes(form.level.value) ? Number(form.spans.value) : 0,
      ppl: LOGGED.includes(form.level.value) && form.ppl.checked,
      ...(form.how.value === "full" ? { ...part(), bays: chosen() } : { count: form.count.value ? Number(form.count.value) : null, spares: Number(form.spares.value) }),
    };
  };
  const look = async (event) => {
    event.preventDefault();
    const request = wish();
    try {
      const plan = await order("raid", "PlanSimple", request);
      put(result,
        plan.vds.map(planned),
        plan.spares.map((drive) => h("p", {}, `Hot spare: bay ${drive.bay}, ${drive.model} ${drive.serial}, ${bytes(drive.size)}`)),
        plan.warnings.map((text) => h("p", { class: "waiting" }, text)),
        plan.erased.map((text) => h("p", { class: "problem" }, `Would be lost: ${text}`)),
        plan.unused.map((drive) => h("p", { class: "quiet" }, `Not used: bay ${drive.bay}, ${drive.model} ${drive.serial}`)),
        h("div", { class: "buttons" }, h("button", { class: "main", type: "button", "data-key": "make", onclick: () => make(request, plan) }, `Make ${plan.vds.map((vd) => vd.name).join(" and ")}`)));
    } catch (error) {
      put(result, h("p", { class: "problem" }, said(error)));
    }
  };
  const make = async (request, plan) => {
    try {
      const reply = await order("raid", "CreateSimple", { plan: request, fingerprint: plan.fingerprint });
      toast(`Being made: ${reply.names.join(", ")}. Storage shows how far it is.`);
      close();
    } catch (error) {
      put(result, h("p", { class: "problem" }, said(error)));
    }
  };
  const simple = h("div", {}, choice("count", "Virtual drives", [["", "as many as fit well (two from eight drives on)"], ["1", "1"], ["2", "2"], ["3", "3"], ["4", "4"]]),
    choice("spares", "Hot spares", [["0", "none"], ["1", "1"], ["2", "2"]]));
  const full = h("div", {},
    h("fieldset", {}, h("legend", {}, "Bays"), blank.length ? blank.map((drive) => h("label", { class: "check" }, h("input", { type: "checkbox", name: "bay", value: drive.bay }), `${drive.bay}: ${drive.model} ${drive.serial}, ${bytes(drive.size)}`)) : "No bay holds a blank drive."),
  );
  const room = h("div", {}, choice("group", "Drive group", groups.map((group) => [group.name, `${group.name}: ${raid(group.level, group.spans)} with ${group.vds.join(", ")}; ${bytes(group.largest)} in one piece`])));
  const named = h("div", {},
    h("label", { for: "size" }, "Size in GB (empty: all; with a size, others can be made beside it later)"), h("input", { id: "size", type: "number", min: "0", step: "any", inputmode: "decimal" }),
    h("label", { for: "vdname" }, "Name (empty: the next free one)"), h("input", { id: "vdname", autocomplete: "off", spellcheck: "false" }));
  const spans = h("div", {}, choice("spans", "Spans", ["2", "3", "4", "5", "6", "7", "8"].map((count) => [count, count])));
  const level = h("div", {}, choice("level", "Level", LEVELS));
  const log = h("label", { class: "check" }, h("input", { type: "checkbox", id: "ppl" }), "Partial parity log: no power cut tears a stripe while a drive is missing. Slower; takes no drives later on.");
  const strip = h("div", {}, choice("strip", "Strip", [["256", "256 KiB"], ["64", "64 KiB"], ["128", "128 KiB"], ["512", "512 KiB"], ["1024", "1 MiB"]]));
  const shape = () => {
    simple.hidden = form.how.value !== "simple";
    full.hidden = form.how.value !== "full";
    room.hidden = form.how.value !== "group";
    level.hidden = strip.hidden = !room.hidden; // they are the group's
    named.hidden = !simple.hidden;
    log.hidden = !room.hidden || !LOGGED.includes(form.level.value);
    spans.hidden = !room.hidden || !SPANNED.includes(form.level.value);
    result.replaceChildren(); // a plan of another wish
  };
  const form = h("form", { class: "fields", onsubmit: look, onchange: shape },
    choice("how", "How", [
      ["simple", "Simple configuration: from all blank drives"], ["full", "In full: one virtual drive from the bays that I choose"],
      ...(groups.length ? [["group", "In the room that a drive group has left"]] : []),
    ]),
    level, spans, simple, full, room, named, strip, log,
    h("button", { class: "main", type: "submit" }, "Show the plan"));
  shape();
  let drawn = false;
  show(() => {
    if (drawn) return; // news must not take away what a person has chosen
    drawn = true;
    frame("New virtual drives", h("p", {}, "Makes virtual drives, file systems and recording volumes from the blank drives in bays. Drives that hold data are left alone."), form, result);
  });
}
