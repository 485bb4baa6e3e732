// Drives by bay, and the tone (good, warn, bad, quiet, unknown) of every state word.

import { known } from "./store.js";

const TONES = {
  Online: "good", Optimal: "good", "Unconfigured Good": "good", "Hot Spare": "good", Good: "good", recording: "good", ready: "good", OK: "good", Clean: "good",
  Watch: "warn", Failing: "bad", Rebuild: "warn", Copyback: "warn", "Partially Degraded": "warn", Degraded: "warn", Foreign: "warn", Stale: "warn", Shield: "warn",
  Warning: "warn", connecting: "warn", Missing: "bad", Failed: "bad", "Unconfigured Bad": "bad", Offline: "bad", Critical: "bad",
  ALARM: "bad", MISSING: "bad", unreachable: "bad", refused: "bad", "wrong password": "bad", "bad stream": "bad", frozen: "bad",
  "no volume": "bad", unmounted: "bad", "no identity": "bad", "system drive": "bad", "read-only": "bad", failed: "bad", "Wrong stripes": "bad",
  Blank: "quiet", System: "quiet", Notice: "quiet", disabled: "quiet", empty: "quiet", Stopped: "quiet",
};

export const tone = (state) => TONES[state] ?? "unknown";

// A bay can have two rows: the missing member, and the drive that stands there and is not used.
export const drivesIn = (bay) => (known("raid")?.drives ?? []).filter((drive) => drive.bay === bay);
export const driveOf = (bay) => drivesIn(bay).find((drive) => drive.device !== null) ?? drivesIn(bay)[0] ?? null;

// By its name, or by that of a drive group: then all that share it, as one.
export const vdOf = (name) => {
  const found = (known("raid")?.virtual_drives ?? []).filter((vd) => name === vd.name || (vd.group && name === vd.group));
  return found.length > 1 ? { ...found[0], name: found.map((vd) => vd.name).join(" and ") } : found[0] ?? null;
};
export const bayView = (bay) => (known("panel")?.bays ?? []).find((view) => view.bay === bay) ?? null;
