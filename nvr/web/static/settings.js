// Name, time and network. A change of the network is undone by the machine itself unless somebody confirms it: who
// locked himself out has only to wait.

import { mayChange, order, tell } from "./api.js";
import { $, h, put } from "./dom.js";
import { seconds } from "./format.js";
import { asking } from "./spares.js";
import { known, now } from "./store.js";

const list = (text) => text.split(/[\s,]+/).filter(Boolean);
const field = (id, label, value, more = {}) => [h("label", { for: id }, label), h("input", { id, value, autocomplete: "off", spellcheck: "false", ...more })];
const value = (form, id) => form.querySelector(`#${id}`).value.trim();

function openName() {
  asking("Name of this machine", "It stands on top of this page and in every mail.", field("set-name", "Name", known("box").hostname, { required: true }),
    "Set the name", (form) => order("box", "SetHostname", { name: value(form, "set-name") }));
}

// Only what was changed is asked for: who sets the zone must not switch off the NTP that the system brought.
function openTime() {
  const { time } = known("box");
  const clock = h("input", { id: "set-clock", type: "datetime-local", step: 1, min: "2020-01-01T00:00", max: "2099-12-31T23:59" });
  asking("Time", "Recordings are found by their time: a clock that is right matters.",
    [field("set-zone", "Time zone, such as Europe/Berlin", time.zone), field("set-ntp", "NTP servers (none: do without)", time.servers.join(" ")),
      h("label", { for: "set-clock" }, "Set the clock by hand, in UTC (empty: leave it; not while NTP sets it)"), clock],
    "Set the time", (form) => {
      const [zone, servers] = [value(form, "set-zone"), list(value(form, "set-ntp"))];
      return order("box", "SetTime", {
        zone: zone && zone !== time.zone ? zone : null,
        servers: servers.join(" ") === time.servers.join(" ") ? null : servers,
        now: clock.value ? Date.parse(`${clock.value}Z`) / 1000 : null });
    });
}

function openNetwork(name) {
  const data = known("box");
  const set = data.networks.find((one) => one.name === name) ?? { dhcp: false, address: data.interfaces.find((one) => one.name === name)?.addresses[0] ?? "", gateway: "", dns: [] };
  const dhcp = h("input", { id: "set-dhcp", type: "checkbox", checked: set.dhcp });
  const own = [field("set-address", "Address with prefix length, such as 192.0.2.10/24", set.address), field("set-gateway", "Gateway (none: only this network)", set.gateway)];
  const inputs = own.map((one) => one[1]);
  const shape = () => inputs.forEach((one) => (one.disabled = dhcp.checked));
  dhcp.addEventListener("change", shape);
  shape();
  const wait = h("select", { id: "set-seconds" }, [[60, "1 minute"], [120, "2 minutes"], [600, "10 minutes"]].map(([seconds, text]) => h("option", { value: seconds, selected: seconds === 120 }, text)));
  asking(`Network: ${name}`, "In force at once. This page may be cut off: open it at the new address, log in, and confirm there in time; else everything is as before.",
    [h("label", { for: "set-dhcp", class: "check" }, dhcp, " Address by DHCP"), own, field("set-dns", "DNS servers", set.dns.join(" ")),
      h("label", { for: "set-seconds" }, "Undone, unless it is confirmed within"), wait],
    "Change the network", (form) => {
      const wish = dhcp.checked ? { name, dhcp: true } : { name, dhcp: false, address: value(form, "set-address"), gateway: value(form, "set-gateway") };
      return order("box", "SetNetwork", { interface: { ...wish, dns: list(value(form, "set-dns")) }, seconds: Number(wait.value) });
    });
}

// A change that waits for somebody to confirm it: on top of the page, for it may be just the page at the new address.
export function waiting() {
  const data = known("box");
  return put($("#waiting"), !data?.undo_at ? [] : h("div", { class: "waiting" },
    h("p", {}, `The network of ${data.undo_of} was changed. It is undone in ${seconds(Math.max(0, data.undo_at - now()))} unless it is confirmed.`),
    mayChange ? h("div", { class: "buttons" }, h("button", { class: "main", "data-key": "network-keep", onclick: () => tell("box", "ConfirmNetwork") }, "Keep it"),
      h("button", { "data-key": "network-undo", onclick: () => tell("box", "UndoNetwork") }, "Undo it")) : []));
}

export const settings = (data) => (mayChange ? h("div", { class: "buttons" },
  h("button", { "data-key": "set-name", onclick: openName }, "Name …"), h("button", { "data-key": "set-time", onclick: openTime }, "Time …"),
  data.interfaces.filter((one) => one.name !== "lo").map((one) => h("button", { "data-key": `network-${one.name}`, onclick: () => openNetwork(one.name) }, `Network ${one.name} …`))) : []);
