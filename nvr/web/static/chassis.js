// The front of the chassis as one SVG, made from the profile's rows of bays; every LED as it is.

import { mayChange, tell } from "./api.js";
import { h, put, s } from "./dom.js";
import { known, live } from "./store.js";
import { openBay } from "./bay.js";
import { driveOf, tone } from "./drives.js";
import { inWords, lamp, ledOf, light, trayOf } from "./leds.js";

// spec/panel.md, "Information LED".
const INFORMATION = {
  OFF: ["blue off", "off"], OVERHEAT: ["red on", "red, overheat"], FAN: ["red blink1", "red 1 Hz, fan failure"],
  PSU: ["red blink025", "red 0.25 Hz, power supply failure"], UID_PRESSED: ["blue on", "blue, UID pressed on the chassis"],
  UID_REMOTE: ["blue blink1", "blue 1 Hz, UID set from afar"],
};
// LEDs of the panel besides: role -> [what stands below it, colour, name].
const PANEL = {
  power: ["pwr", "green", "Power LED"], system: ["sys", "green", "System LED"], activity: ["hdd", "green", "HDD activity LED"],
  warning: ["warn", "amber", "Warning LED"], "power-failure": ["psu", "red", "Power failure LED"],
};
// Units of the picture. A phone gets narrow bays: number and state, the serial is in the dialog.
const phone = matchMedia("(max-width: 46rem)");
const BROAD = { wide: 176, high: 78, gap: 8, ear: 34, lens: 4.5, leds: [16, 22, 46], number: [34, 27], state: [60, 20] };
const NARROW = { wide: 98, high: 76, gap: 6, ear: 24, lens: 6, leds: [16, 18, 42], number: [36, 32], state: [8, 66] };
let form = BROAD;

function led(x, y, colour, state, says) {
  return s("g", { class: `led ${colour} ${state}` }, s("title", {}, `${says}: ${inWords(state)}`),
    s("circle", { class: "glow", cx: x, cy: y, r: form.lens + 3.5 }), s("circle", { class: "lens", cx: x, cy: y, r: form.lens }));
}

function bay(panel, view, x, y) {
  const [activity, status] = trayOf(panel, view);
  const drive = driveOf(view.bay);
  const state = drive?.state ?? (view.present === null ? "unknown" : view.present ? "unknown" : "empty");
  const label = `Bay ${view.bay}: ${state}, ${light(panel, view) ?? "lights unknown"}${drive?.serial ? `, ${drive.model} ${drive.serial}` : ""}`;
  const open = () => openBay(view.bay);
  const key = (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open();
    }
  };
  const gone = view.present === false;
  const serial = gone ? "no drive" : (drive?.serial ?? view.serial ?? "serial unknown").slice(-18);
  return s("g", {
    class: `bay ${gone ? "empty" : ""} ${tone(state)}`, id: `bay-${view.bay}`, transform: `translate(${x} ${y})`, tabindex: 0,
    role: "button", "aria-label": label, "data-key": `bay-${view.bay}`, onclick: open, onkeydown: key,
  },
  s("rect", { class: "tray", width: form.wide, height: form.high, rx: 5 }),
  form === NARROW ? [] : s("rect", { class: "grille", x: 34, y: form.high - 22, width: form.wide - 44, height: 14, rx: 2 }),
  s("rect", { class: "latch", x: form.wide - 12, y: 8, width: 5, height: form.high - 38, rx: 2 }),
  s("text", { class: "number", x: form.number[0], y: form.number[1] }, String(view.bay)),
  s("text", { class: "state", x: form.state[0], y: form.state[1], textLength: state.length > 12 ? 84 : undefined, lengthAdjust: "spacingAndGlyphs" }, state),
  form === NARROW ? [] : s("text", { class: "what", x: 60, y: 36, textLength: serial.length > 14 ? 100 : undefined, lengthAdjust: "spacingAndGlyphs" }, serial),
  led(form.leds[0], form.leds[1], "green", activity, "Activity"),
  led(form.leds[0], form.leds[2], "amber", status, "Status"));
}

// The one LED that is red and blue.
function information(panel) {
  if (INFORMATION[panel.information]) return INFORMATION[panel.information];
  const both = ["information-red", "information-blue"].map((role) => lamp(ledOf(panel, role)));
  return both.every((state) => state === "on") ? ["violet on", "red and blue on"] : ["blue unknown", "unknown"];
}

// The lights of the whole chassis: all that the profile names, half of them in each ear.
function front(panel, width, height) {
  const lights = Object.entries(PANEL).filter(([role]) => ledOf(panel, role)).map(([role, [text, colour, name]]) => {
    const state = lamp(ledOf(panel, role));
    return [text, `${colour} ${state}`, `${name}: ${inWords(state)}`];
  });
  if (panel.information || ledOf(panel, "information-red")) {
    const [kind, says] = information(panel);
    lights.unshift(["info", kind, `Information LED: ${says}`]);
  }
  const left = Math.ceil(lights.length / 2);
  const step = Math.min(44, (height - 16) / left);
  return lights.map(([text, kind, says], at) => {
    const [x, y] = [at < left ? form.ear / 2 : width - form.ear / 2, 16 + (at % left) * step];
    return s("g", { class: `led ${kind}`, role: "img", "aria-label": says }, s("title", {}, says),
      s("circle", { class: "glow", cx: x, cy: y, r: 9 }), s("circle", { class: "lens", cx: x, cy: y, r: 6 }),
      s("text", { class: "small", x, y: y + 20 }, text));
  });
}

// A light on the front that says which box is meant.
function uid(panel) {
  if (!mayChange || !(panel.information || ledOf(panel, "information-red"))) return [];
  const on = panel.uid !== "OFF";
  return h("div", { class: "buttons" },
    h("button", { "data-key": "uid", onclick: () => tell("panel", "Uid", { on: !on }) }, on ? "Stop the UID light" : "Light the UID"),
    h("button", { "data-key": "lamp-test", onclick: () => tell("panel", "LampTest", {}) }, "Lamp test"));
}

export function chassis(body) {
  const panel = known("panel");
  if (!panel) return put(body, h("p", { class: "unknown" }, "unknown"));
  const rows = panel.front ?? [];
  const notes = (panel.problems ?? []).map((text) => h("p", { class: "problem" }, text));
  if (!rows.length) {
    return put(body, h("p", {}, `${panel.title || panel.profile}: this profile names no bays, so no picture can be drawn. The drives are listed under Storage.`), notes);
  }
  form = phone.matches ? NARROW : BROAD;
  const { wide, high, gap, ear } = form;
  const columns = Math.max(...rows.map((row) => row.length));
  const width = 2 * ear + columns * (wide + gap) + gap;
  const height = rows.length * (high + gap) + gap;
  const views = Object.fromEntries(panel.bays.map((view) => [view.bay, view]));
  const bays = rows.flatMap((row, y) => row.map((number, x) => bay(
    panel,    views[number] ?? { bay: number, present: null, light: null }, ear + gap + x * (wide + gap), gap + y * (high + gap))));
  const picture = s("svg", {
    viewBox: `0 0 ${width} ${height}`, class: `front ${live("panel") ? "" : "stale"}`, role: "group", "aria-label": `Front of the chassis: ${panel.title}`,
  }, s("rect", { class: "case", width, height, rx: 7 }),
  s("rect", { class: "ear", width: ear, height, rx: 7 }), s("rect", { class: "ear", x: width - ear, width: ear, height, rx: 7 }),
  front(panel, width, height), bays);
  return put(body, panel.lamp_test ? h("p", { class: "waiting", role: "status" }, "Lamp test: every LED is on. One that is dark is broken.") : [],
    h("div", { class: "frame" }, picture), notes,
    uid(panel),
    h("p", { class: "quiet" }, "Choose a bay to see its drive, to make it blink, or to replace it. Green: activity. Amber: on failed, slow rebuilding, fast located."));
}

phone.addEventListener("change", () => chassis(document.querySelector("#chassis .body")));
