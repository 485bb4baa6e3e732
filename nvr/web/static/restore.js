// Restore to default, and the switch to Failover Mode: the plan, the password once more, and the machine's name typed,
// so that neither an open page nor the page of another machine is enough.

import { order, said } from "./api.js";
import { close, fact, frame, show } from "./bay.js";
import { $, h, put } from "./dom.js";
import { bytes } from "./format.js";
import { known } from "./store.js";

const machine = () => known("box")?.hostname || "rackeye";
const { user, goes, stays } = $("#top").dataset;

// go(password): gives the command. after: what a person has to know once it is given.
function form(title, plan, go, after) {
  const name = machine();
  const password = h("input", { id: "sure-password", type: "password", autocomplete: "current-password", "data-key": "password" });
  const typed = h("input", { id: "sure-name", autocomplete: "off", autocapitalize: "none", spellcheck: "false", "data-key": "name" });
  const button = h("button", { class: "danger", type: "submit", disabled: true, "data-key": "go" }, title);
  const failed = h("div", { role: "alert" });
  const ready = () => (button.disabled = typed.value.trim() !== name || !password.value);
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    put(failed, h("p", { class: "waiting" }, "Being asked …"));
    try {
      const reply = await go(password.value);
      draw([h("p", { class: "note" }, reply.text), h("p", {}, after), h("p", { class: "quiet" }, "Until then this page shows what was before, and says how old it is.")]);
    } catch (error) {
      put(failed, h("p", { class: "problem" }, said(error)));
      password.value = "";
      password.focus();
    }
  };
  let content = [plan, h("form", { class: "fields", onsubmit: send, oninput: ready },
    h("label", { for: "sure-password" }, `Password of ${user}, once more`), password,
    h("label", { for: "sure-name" }, "Type the name of this machine, ", h("strong", {}, name)), typed,
    h("div", { class: "buttons" }, button, h("button", { type: "button", "data-key": "back", onclick: close }, "Back"))), failed];
  let drawn = null;
  const draw = (next = content) => { // news must not take away what a person types
    content = next;
    if (drawn === content) return;
    drawn = content;
    frame(title, content);
  };
  show(() => draw());
}

export function openRestore() {
  const cameras = known("recorder")?.cameras.length;
  const vds = known("raid")?.virtual_drives;
  const here = vds === undefined ? null : vds.length ? vds.map((vd) => `${vd.name} (${bytes(vd.size)})`).join(", ") : "none";
  const erase = h("input", { id: "restore-erase", autocomplete: "off", spellcheck: "false", "data-key": "erase" });
  form("Restore to default", [
    h("dl", { class: "facts" },
      fact("Goes", `${goes}.`), fact("Cameras that go", cameras === undefined ? null : String(cameras)),
      fact("Stays", `${stays}.`), fact("Virtual drives that stay", here)),
    h("p", { class: "problem" }, "The appliance reboots, and records nothing until it has been set up again. Nobody's password of now opens it then. When the power goes in the middle, the next start finishes it."),
    h("label", { for: "restore-erase" }, "Leave this empty; or type ", h("strong", {}, "also erase recordings"), ", and all video goes, too"), erase],
  (password) => order("box", "Restore", { user, password, erase: erase.value.trim() }),
  "It comes back as new, after one to two minutes: with a certificate that your browser does not know yet, and with the factory's account admin, password admin, which must be changed at once.");
}

export async function openSwitch() {
  let plan;
  try {
    plan = await order("box", "PlanSwitch");
  } catch (error) {
    show(() => frame("Switch to Failover Mode", h("p", { class: "problem" }, said(error))));
    return;
  }
  if (plan.refusals.length) {
    show(() => frame("Switch to Failover Mode",
      h("p", {}, "As things stand it cannot be done:"),
      plan.refusals.map((one) => h("p", { class: "problem" }, `${one.sentence} `, one.hint ? h("strong", {}, one.hint) : [], ` [${one.code}]`)),
      h("div", { class: "buttons" }, h("button", { "data-key": "again", onclick: openSwitch }, "Look again"), h("button", { "data-key": "back", onclick: close }, "Back"))));
    return;
  }
  form("Switch to Failover Mode", [
    h("ol", {}, plan.steps.map((text) => h("li", {}, text))),
    h("p", { class: "problem" }, "This is one-way.")],
  (password) => order("box", "SwitchToRedundant", { answer: "y" }, password),
  "It comes back as a redundant server, which is configured from the CMS.");
}
