// Mode, version, network; reboot and shutdown. The page goes blind then, and comes back by itself.

import { mayChange, tell } from "./api.js";
import { close, fact, frame, show } from "./bay.js";
import { $, h, put } from "./dom.js";
import { openRestore, openSwitch } from "./restore.js";
import { settings, waiting } from "./settings.js";
import { known } from "./store.js";

function ask(command, title, text) {
  show(() => frame(title, h("p", {}, text),
    h("div", { class: "buttons" }, h("button", { class: "danger", "data-key": "go", onclick: async () => {
      if (await tell("box", command, {})) close();
    } }, title), h("button", { "data-key": "back", onclick: close }, "Back"))));
}

export function system(body) {
  const data = known("box");
  if (!data) return put(body, h("p", { class: "unknown" }, "unknown"));
  put($("#version"), data.version);
  const net = data.interfaces.map((one) => h("div", {}, `${one.name}: ${one.up === null ? "unknown" : one.up ? "up" : "down"}, ${one.addresses.join(", ") || "no address"}`));
  const synchronized = { true: "synchronized", false: "not synchronized" }[data.time.synchronized] ?? "synchronized: unknown";
  return put(body,
    data.problems.map((text) => h("p", { class: "problem" }, text)),
    data.state_damaged ? h("p", { class: "problem" }, "The record of the mode was damaged; Standard Mode is assumed.",
      mayChange ? h("div", { class: "buttons" }, h("button", { "data-key": "keep-mode", onclick: () => tell("box", "KeepMode") }, `Keep ${data.mode}`)) : []) : [],
    h("dl", { class: "facts" }, fact("Version", data.version || null), fact("Mode", data.mode), fact("Name", data.hostname || null),
      fact("Network", net.length ? net : null), fact("Time", `${data.time.zone || "zone unknown"}, ${synchronized}`)),
    waiting(data), settings(data),
    mayChange ? h("div", { class: "buttons" },
      h("button", { "data-key": "reboot", onclick: () => ask("Reboot", "Reboot", "Recording stops for about a minute.") }, "Reboot …"),
      h("button", { "data-key": "shutdown", onclick: () => ask("Shutdown", "Shut down", "Recording stops until somebody presses the power button at the machine.") }, "Shut down …"),
      h("button", { "data-key": "restore", onclick: openRestore }, "Restore to default …"),
      data.mode === "Standard Mode" ? h("button", { "data-key": "switch", onclick: openSwitch }, "Switch to Failover Mode …") : []) : [],
    h("p", { class: "quiet" }, "For programs: ", h("a", { href: "/api/v1/openapi.json" }, "the API"), ", ", h("a", { href: "/metrics" }, "metrics"), "."));
}
