// What the LEDs show, as paneld read them back.

// light -> [activity (green), status (amber)]: the table "Tray LEDs" of spec/panel.md.
const TRAY = {
  ABSENT: ["off", "off"], PRESENT: ["on", "off"], ACTIVE: ["blink4", "off"],
  LOCATE: ["off", "blink4"], FAILED: ["off", "on"], REBUILD: ["off", "blink1"],
};
const SAYS = {
  ABSENT: "empty", PRESENT: "idle", ACTIVE: "active", LOCATE: "located", FAILED: "failed", REBUILD: "rebuilding",
};
const RATES = [[0.25, "blink025"], [1, "blink1"], [4, "blink4"]];
const TOLERANCE = 0.06; // hw/leds.py

export const ledOf = (panel, role, bay = null) => (panel.leds ?? []).find((one) => one.role === role && one.bay === bay);

// What one LED does, for the style sheet; unknown when it cannot be read, or does what we never set.
export function lamp(one) {
  if (one?.lamp === "BLINK") return RATES.find(([hz]) => Math.abs(one.hz - hz) <= TOLERANCE * hz)?.[1] ?? "unknown";
  return { ON: "on", OFF: "off" }[one?.lamp] ?? "unknown";
}

export const inWords = (state) => (state.startsWith("blink") ? `blinks at ${RATES.find(([, name]) => name === state)[0]} Hz` : state);

// A bay's two; each by itself when together they mean nothing, as in a lamp test.
export const trayOf = (panel, view) => TRAY[view.light] ?? ["activity", "status"].map((role) => lamp(ledOf(panel, role, view.bay)));

// What they mean; null when that is not known.
export const light = (panel, view) => SAYS[view.light] ?? (trayOf(panel, view).every((state) => state === "on") ? "both LEDs on" : null);
