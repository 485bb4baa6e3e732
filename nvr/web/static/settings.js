// Name, time and network. A change of the network is undone by the machine itself unless somebody confirms it: who
// locked himself out has only to wait.

import { mayChange, order, tell } from "./api.js";
import { h } from "./dom.js";
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

function openTime() {
  const { time } = known("box");
  asking("Time", "Recordings are found by their time: a clock that is right matters.",
    [field("set-zone", "Time zone, such as Europe/Berlin", time.zone), field("set-ntp", "NTP servers (none: do without)", time.servers.join(" "))],
    "Set the time", (form) => order("box", "SetTime", { zone: value(form, "set-zone") || null, servers: list(value(form, "set-ntp")) }));
}

function openNetwork(name) {
  const data = known("box");
  const set = data.networks.find((one) => one.name === name) ?? { dhcp: false, address: data.interfaces.find((one) => one.name === name)?.addresses[0] ?? "", gateway: "", dns: [] };
  const dhcp = h("input", { id: "set-dhcp", type: "checkbox", checked: set.dhcp });
  asking(`Network: ${name}`, "In force at once. This page may be cut off: open it at the new address, and confirm there within a minute; else everything is as before.",
    [h("label", { for: "set-dhcp", class: "check" }, dhcp, " Address by DHCP"), field("set-address", "Address with prefix length, such as 192.0.2.10/24", set.address), field("set-gateway", "Gateway", set.gateway), field("set-dns", "DNS servers", set.dns.join(" "))],
    "Change the network", (form) => order("box", "SetNetwork", { interface: dhcp.checked ? { name, dhcp: true, dns: list(value(form, "set-dns")) }
      : { name, dhcp: false, address: value(form, "set-address"), gateway: value(form, "set-gateway"), dns: list(value(form, "set-dns")) } }));
}

// A change that waits for somebody to confirm it.
export function waiting(data) {
  if (!data.undo_at) return [];
  return h("div", { class: "waiting" }, h("p", {}, `The network of ${data.undo_of} was changed. It is undone in ${seconds(data.undo_at - now())} unless it is confirmed.`),
    mayChange ? h("div", { class: "buttons" }, h("button", { class: "main", "data-key": "network-keep", onclick: () => tell("box", "ConfirmNetwork") }, "Keep it"),
      h("button", { "data-key": "network-undo", onclick: () => tell("box", "UndoNetwork") }, "Undo it")) : []);
}

export const settings = (data) => (mayChange ? h("div", { class: "buttons" },
  h("button", { "data-key": "set-name", onclick: openName }, "Name …"), h("button", { "data-key": "set-time", onclick: openTime }, "Time …"),
  data.interfaces.filter((one) => one.name !== "lo").map((one) => h("button", { "data-key": `network-${one.name}`, onclick: () => openNetwork(one.name) }, `Network ${one.name} …`))) : []);
