// Mode, version, network; reboot and shutdown. The page goes blind then, and comes back by itself.

import { mayChange, tell } from "./api.js";
import { close, fact, frame, show } from "./bay.js";
import { $, h, put } from "./dom.js";
import { openRestore, openSwitch } from "./restore.js";
import { settings } from "./settings.js";
import { known } from "./store.js";

function ask(command, title, text) {
  show(() => frame(title, h("p", {}, text),
    h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", onclick: async () => {
      if (await tell("box", command, {})) close();
    } }, title), h("button", { "data-key": "back", onclick: close }, "Back"))));
}

// After its record was damaged: what is in force is written anew, once a person has seen what that means.
function openKeep() {
  show(() => {
    const data = known("box");
    const title = `Keep ${data.mode}`;
    frame(title, h("dl", { class: "facts" }, fact("Mode in force", data.mode), fact("What happened", data.state_lost || data.state_mended || "nothing any more")),
      h("p", {}, "The record of the mode is written anew as it is in force, and the alarm about it ends. Settings, accounts and recordings stay as they are."),
      data.state_lost ? h("p", { class: "problem" }, "If this was a redundant server, do not keep Standard Mode: switch it to Failover Mode again.") : [],
      h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", onclick: async () => {
        if (await tell("box", "KeepMode", {})) close();
      } }, title), h("button", { "data-key": "back", onclick: close }, "Back")));
  });
}

export function system(body) {
  const data = known("box");
  if (!data) return put(body, h("p", { class: "unknown" }, "unknown"));
  put($("#version"), data.mode === "Standard Mode" ? data.version : `${data.version}, ${data.mode}`);
  if (data.hostname) put($("#hostname"), data.hostname);
  const net = data.interfaces.map((one) => h("div", {}, `${one.name}: ${one.up === null ? "unknown" : one.up ? "up" : "down"}, ${one.addresses.join(", ") || "no address"}`));
  const synchronized = { true: "synchronized", false: "not synchronized" }[data.time.synchronized] ?? "synchronized: unknown";
  return put(body,
    data.problems.map((text) => h("p", { class: "problem" }, text)),
    mayChange && (data.state_lost || data.state_mended) ? h("div", { class: "buttons" }, h("button", { "data-key": "keep-mode", onclick: openKeep }, `Keep ${data.mode} …`)) : [],
    h("dl", { class: "facts" }, fact("Version", data.version || null), fact("Mode", data.mode), fact("Name", data.hostname || null),
      fact("Network", net.length ? net : null), fact("Time", `${data.time.zone || "zone unknown"}, ${synchronized}`)),
    settings(data),
    mayChange ? h("div", { class: "buttons" },
      h("button", { "data-key": "reboot", onclick: () => ask("Reboot", "Reboot", "Recording stops for about a minute.") }, "Reboot …"),
      h("button", { "data-key": "shutdown", onclick: () => ask("Shutdown", "Shut down", "Recording stops until somebody presses the power button at the machine.") }, "Shut down …"),
      h("button", { "data-key": "restore", onclick: openRestore }, "Restore to default …"),
      data.mode === "Standard Mode" ? h("button", { "data-key": "switch", onclick: openSwitch }, "Switch to Failover Mode …") : []) : [],
    h("p", { class: "quiet" }, "For programs: ", h("a", { href: "/api/v1/openapi.json" }, "the API"), ", ", h("a", { href: "/metrics" }, "metrics"), "."));
}
