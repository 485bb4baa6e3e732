// Temperatures and fans with a small plot of the last minutes. The past comes from the console's server once, then
// each new value is added here.

import { get } from "./api.js";
import { h, put, s, word } from "./dom.js";
import { tone } from "./drives.js";
import { known, live, now } from "./store.js";

const SPAN = 600; // seconds that a plot shows
const past = {}; // sensor -> [[at, value or null], ...]
let asked = false;

async function ask() {
  asked = true;
  try {
    for (const [name, points] of Object.entries((await get("history")).sensors)) {
      past[name] = [...points, ...(past[name] ?? []).filter(([at]) => at > (points.at(-1)?.[0] ?? 0))];
    }
  } catch {
    asked = false;
  }
}

export function remember(at) {
  if (!asked) ask();
  for (const sensor of known("fan")?.sensors ?? []) {
    const points = (past[sensor.name] ??= []);
    points.push([at, sensor.value]);
    while (points.length && points[0][0] < at - SPAN) points.shift();
  }
}

function plot(sensor) {
  const points = (past[sensor.name] ?? []).filter(([at]) => at > now() - SPAN);
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  if (values.length < 2) return h("p", { class: "quiet" }, "No past yet.");
  const fan = sensor.unit === "rpm";
  const limits = [sensor.low, sensor.high].filter((limit) => limit !== null && !fan);
  const pad = fan ? 100 : 3;
  const [low, high] = [Math.min(...values) - pad, Math.max(...values, ...limits) + pad];
  const [wide, high_] = [300, 60];
  const x = (at) => wide * (1 - (now() - at) / SPAN);
  const y = (value) => high_ * (1 - (value - low) / (high - low));
  const runs = [[]];
  for (const [at, value] of points) value === null ? runs.push([]) : runs.at(-1).push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  if (live("fan") && sensor.value !== null && runs.at(-1).length) runs.at(-1).push(`${wide},${y(sensor.value).toFixed(1)}`); // unchanged until now
  return s("svg", { viewBox: `0 0 ${wide} ${high_}`, class: "plot", preserveAspectRatio: "none", role: "img", "aria-label": `${sensor.name}, last 10 minutes: ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} ${sensor.unit}` },
    limits.map((limit) => s("line", { class: "limit", x1: 0, x2: wide, y1: y(limit), y2: y(limit) })),
    runs.filter((run) => run.length > 1).map((run) => s("polyline", { points: run.join(" ") })));
}

function one(sensor) {
  const value = sensor.value === null ? (sensor.state === "OK" ? "not told" : h("span", { class: "unknown" }, "unknown")) : `${sensor.value.toFixed(sensor.unit === "rpm" ? 0 : 1)} ${sensor.unit}`;
  const limits = [sensor.low === null ? [] : `at least ${sensor.low} ${sensor.unit}`, sensor.high === null ? [] : `at most ${sensor.high} ${sensor.unit}`].flat().join(", ");
  return h("article", { class: `card sensor ${tone(sensor.state)}` }, h("h3", {}, sensor.name, " ", word(sensor.state, tone(sensor.state))),
    h("p", { class: "figure" }, value), h("p", { class: "quiet" }, sensor.detail || limits || "no limit set"), plot(sensor));
}

export function climate(body) {
  const data = known("fan");
  if (!data) return put(body, h("p", { class: "unknown" }, "unknown"));
  return put(body, data.problems.map((text) => h("p", { class: "problem" }, text)),
    data.sensors.length ? h("div", { class: "cards small" }, data.sensors.map(one)) : h("p", {}, "This chassis' profile names no sensors."));
}
