// Deleting a virtual drive: what would be lost, as the machine answers it, and its name typed.

import { order, said, tell } from "./api.js";
import { close, fact, frame, show } from "./bay.js";
import { h } from "./dom.js";
import { bytes } from "./format.js";

export async function openDelete(name) {
  let plan;
  try {
    plan = await order("raid", "PlanDelete", { name });
  } catch (error) {
    show(() => frame(`Delete ${name}`, h("p", { class: "problem" }, said(error))));
    return;
  }
  const facts = h("dl", { class: "facts" },
    fact("Virtual drive", `${plan.name}: ${plan.level}, ${bytes(plan.size)}`), fact("Files on it", plan.used === null ? null : bytes(plan.used)),
    fact("Drives", plan.drives.map((drive) => h("div", {}, `bay ${drive.bay ?? "unknown"}: ${drive.model} ${drive.serial}`))));
  const typed = h("input", { id: "vd-name", autocomplete: "off", spellcheck: "false", "data-key": "name" });
  const go = h("button", { class: "danger", type: "submit", disabled: true, "data-key": "go" }, `Delete ${name}`);
  const form = h("form", { class: "fields", oninput: () => (go.disabled = typed.value.trim() !== name), onsubmit: async (event) => {
    event.preventDefault();
    if (await tell("raid", "DeleteVd", { name, uuid: plan.uuid })) close();
  } }, h("label", { for: "vd-name" }, `Type ${name} to go on`), typed, h("div", { class: "buttons" }, go, h("button", { type: "button", "data-key": "back", onclick: close }, "Back")));
  let drawn = false;
  show(() => {
    if (drawn) return;
    drawn = true;
    frame(`Delete ${name}`, facts, h("p", { class: "problem" }, plan.loses),
      plan.refusal ? [h("p", { class: "problem" }, plan.refusal), h("div", { class: "buttons" }, h("button", { "data-key": "again", onclick: () => openDelete(name) }, "Look again"), h("button", { "data-key": "back", onclick: close }, "Back"))] : form);
  });
}
