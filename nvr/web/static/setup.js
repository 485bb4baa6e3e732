// Simple configuration: level and number, the plan as the machine answers it, and only then the making.

import { order, said } from "./api.js";
import { close, frame, show } from "./bay.js";
import { h, put, table, toast } from "./dom.js";
import { bytes, raid } from "./format.js";

const LEVELS = [["5", "RAID5: one drive of each group may fail"], ["6", "RAID6: two drives of each group may fail"]];
const choice = (id, label, options) => [h("label", { for: id }, label), h("select", { id }, options.map(([value, text]) => h("option", { value }, text)))];

function planned(vd) {
  return [
    h("h3", {}, `${vd.name}: ${raid(vd.level)}, ${bytes(vd.capacity)}`),
    h("p", {}, `${vd.drives.length} drives; may lose ${vd.tolerance}; strip ${vd.strip / 1024} KiB, stripe ${vd.stripe / 1024} KiB.`),
    table(["Bay", "Model", "Serial", "Capacity"], vd.drives.map((drive) => [String(drive.bay), drive.model, h("span", { class: "mono" }, drive.serial), bytes(drive.size)]), `Drives of ${vd.name}`),
  ];
}

export function openSetup() {
  const result = h("div", { "aria-live": "polite" });
  const wish = () => ({ level: Number(form.level.value), count: form.count.value ? Number(form.count.value) : null, strip: Number(form.strip.value) * 1024 });
  const look = async (event) => {
    event.preventDefault();
    const request = wish();
    try {
      const plan = await order("raid", "PlanSimple", request);
      put(result,
        plan.vds.map(planned),
        plan.warnings.map((text) => h("p", { class: "waiting" }, text)),
        plan.erased.map((text) => h("p", { class: "problem" }, `Would be lost: ${text}`)),
        plan.unused.map((drive) => h("p", { class: "quiet" }, `Not used: bay ${drive.bay}, ${drive.model} ${drive.serial}`)),
        h("div", { class: "buttons" }, h("button", { class: "main", type: "button", onclick: () => make(request, plan) }, `Make ${plan.vds.map((vd) => vd.name).join(" and ")}`)));
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
  const form = h("form", { class: "fields", onsubmit: look, onchange: () => result.replaceChildren() },
    choice("level", "Level", LEVELS),
    choice("count", "Virtual drives", [["", "as many as fit well (two from eight drives on)"], ["1", "1"], ["2", "2"], ["3", "3"], ["4", "4"]]),
    choice("strip", "Strip", [["256", "256 KiB"], ["64", "64 KiB"], ["128", "128 KiB"], ["512", "512 KiB"], ["1024", "1 MiB"]]),
    h("button", { class: "main", type: "submit" }, "Show the plan"));
  let drawn = false;
  show(() => {
    if (drawn) return; // news must not take away what a person has chosen
    drawn = true;
    frame("Simple configuration", h("p", {}, "Makes virtual drives, file systems and recording volumes from the blank drives in bays. Drives that hold data are left alone."), form, result);
  });
}
