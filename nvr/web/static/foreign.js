// Virtual drives that are not (yet) this machine's: taking one over that came from elsewhere, giving one up that could
// not be made. The plan as the machine answers it, and only then the doing.

import { mayChange, order, said, tell } from "./api.js";
import { close, fact, frame, show } from "./bay.js";
import { h, table } from "./dom.js";
import { bytes } from "./format.js";

const drives = (plan) => table(["Bay", "Model", "Serial", "Capacity"], plan.drives.map((drive) => [String(drive.bay ?? "-"), drive.model, h("span", { class: "mono" }, drive.serial), bytes(drive.size)]), `Drives of ${plan.name}`);

// body(plan): what it would do. request(plan): what is sent for it.
async function planned(title, ask, name, body, command, request, again) {
  let plan;
  try {
    plan = await order("raid", ask, { name });
  } catch (error) {
    show(() => frame(title, h("p", { class: "problem" }, said(error)), h("div", { class: "buttons" }, h("button", { "data-key": "back", onclick: close }, "Back"))));
    return;
  }
  const buttons = plan.refusal ? [h("p", { class: "problem" }, plan.refusal), h("div", { class: "buttons" }, h("button", { "data-key": "again", onclick: again }, "Look again"), h("button", { "data-key": "back", onclick: close }, "Back"))]
    : h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", onclick: async () => {
      if (await tell("raid", command, request(plan))) close();
    } }, title), h("button", { "data-key": "back", onclick: close }, "Back"));
  show(() => frame(title, body(plan), drives(plan), h("p", { class: "waiting" }, plan.means), buttons));
}

const openImport = (name) => planned(`Take over ${name}`, "PlanImport", name,
  (plan) => h("dl", { class: "facts" }, fact("Virtual drive", `${plan.name}: ${plan.level}, ${bytes(plan.size)}`), fact("Drives not here or behind", plan.missing ? String(plan.missing) : "none")),
  "ImportVd", (plan) => ({ name, fingerprint: plan.fingerprint }), () => openImport(name));

export const openAbandon = (name) => planned(`Give up ${name}`, "PlanAbandon", name,
  (plan) => h("dl", { class: "facts" }, fact("Virtual drive", `${plan.name}: ${plan.level}, asked for and not made`), plan.why ? fact("Why not", plan.why) : []),
  "AbandonVd", (plan) => ({ name, uuid: plan.uuid }), () => openAbandon(name));

export const fromElsewhere = (data) => (data.foreign ?? []).map((name) => h("div", { class: "card vd" },
  h("p", {}, h("strong", {}, name), " of another Rackeye: drives of it are here. Nothing is done with them by itself."),
  mayChange ? h("div", { class: "buttons" }, h("button", { "data-key": `import-${name}`, onclick: () => openImport(name) }, `Take over ${name} …`)) : []));
