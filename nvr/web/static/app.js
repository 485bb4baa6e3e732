// The console: listens to the machine, and draws the sections that news are about.

import { $, h, put } from "./dom.js";
import { alarms, health } from "./alarms.js";
import { refresh } from "./bay.js";
import { cameras } from "./cameras.js";
import { chassis } from "./chassis.js";
import { climate, remember } from "./climate.js";
import { failover } from "./failover.js";
import { seconds, time } from "./format.js";
import { log } from "./log.js";
import { storage } from "./storage.js";
import { connect, line, listen, live, now, redundant, rooms } from "./store.js";

import { people } from "./people.js";
import { waiting } from "./settings.js";
import { system } from "./system.js";

const UNITS = { raid: "rackeye-raidd", panel: "rackeye-paneld", fan: "rackeye-fand", recorder: "rackeye-recorder", policy: "rackeye-policyd", box: "rackeye-boxd", failover: "rackeye-failover" };
const SECTIONS = [
  ["alarms", alarms, ["policy", "panel"], ["policy"]], // name, draws, redrawn at news of, shows what is of
  ["failover", failover, ["failover"], ["failover"]],
  ["chassis", chassis, ["panel", "raid"], ["panel", "raid"]],
  ["storage", storage, ["raid"], ["raid"]],
  ["cameras", cameras, ["recorder"], ["recorder"]],
  ["climate", climate, ["fan"], ["fan"]],
  ["system", system, ["box"], ["box"]],
];
const due = new Set();

function stale(name, keys) {
  const section = $(`#${name}`);
  const old = keys.filter((key) => !live(key) && (rooms[key].since !== null || !line.up));
  section.classList.toggle("old", old.length > 0);
  put(section.querySelector(".stale"), old.map((key) => {
    const since = line.up ? rooms[key].since : line.heard;
    const what = line.up ? `${UNITS[key]} does not answer` : "The machine does not answer";
    const shown = rooms[key].data === null ? "Nothing is known." : `What is shown is ${seconds(now() - since)} old (${time(since)}).`;
    return h("p", { class: "problem" }, `${what} for ${seconds(now() - since)}. ${shown}`);
  }));
}

// A redundant server has no cameras of its own, and only it the failover service.
function mode() {
  for (const [name, hidden] of [["failover", !redundant()], ["cameras", redundant()]]) {
    for (const one of document.querySelectorAll(`#${name}, nav a[href="#${name}"]`)) one.hidden = hidden;
  }
}

function draw() {
  const keys = new Set(due);
  due.clear();
  if (keys.has("fan") && rooms.fan.answers) remember(now());
  if (keys.has("policy") || keys.has("line")) health();
  if (keys.has("box")) waiting();
  if (keys.has("box") || keys.has("failover")) mode();
  for (const [name, paint, of, from] of SECTIONS) {
    if (keys.has("line") || of.some((key) => keys.has(key))) paint($(`#${name} .body`));
    stale(name, from);
  }
  link();
}

function link() {
  const box = $("#link");
  box.classList.toggle("down", !line.up);
  if (line.up) return box.replaceChildren();
  return put(box, line.heard ? `No connection for ${seconds(now() - line.heard)}: all that is shown is old.` : "Connecting …");
}

listen((key) => {
  if (!due.size) requestAnimationFrame(draw); // news of one moment are drawn once
  due.add(key);
});

// Ages go on although nothing changes.
setInterval(() => {
  for (const one of document.querySelectorAll("time[data-at]")) one.textContent = `${seconds(now() - Number(one.dataset.at))} ago`;
  for (const [name, , , from] of SECTIONS) stale(name, from);
  link();
  if (!live("policy")) health();
  if (rooms.box.data?.undo_at) waiting(); // counts down
  if (!live("panel") || !live("raid")) refresh();
}, 1000);
setInterval(() => rooms.fan.data && climate($("#climate .body")), 10000);

connect();
log();
people();
if ($("#top").dataset.media === "yes") {
  import("/static/media.js").then((media) => media.mount?.($("#media")), () => put($("#media"), h("p", { class: "problem" }, "Live view and playback could not be loaded.")));
}
