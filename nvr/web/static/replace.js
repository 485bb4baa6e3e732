// The replace wizard: each step waits for what the machine itself sees, and says it when the wrong drive was pulled.

import { bayView, driveOf, drivesIn, tone, vdOf } from "./drives.js";
import { close, facts, frame, locate, mustClear, openBay, openClear, show } from "./bay.js";
import { h, word } from "./dom.js";
import { bytes, percent, seconds } from "./format.js";
import { known } from "./store.js";

const STEPS = ["Make sure", "Find it", "Pull it", "Put the new one in", "Rebuild"];
const present = () => Object.fromEntries((known("panel")?.bays ?? []).map((view) => [view.bay, view.present]));

const list = (at) => h("ol", { class: "steps" }, STEPS.map((name, number) =>
  h("li", { class: number < at ? "done" : number === at ? "now" : "", "aria-current": number === at ? "step" : undefined }, name)));

const USED = ["Online", "Copyback", "Shield"];
const RESTS = ["Failed", "Offline", "Unknown"];
const NEEDED = [...USED, "Offline", "Stale", "Unknown"];

// What bears losses by itself: each span, each set of mirrors, or all of it. The same as in raid/model_shares.py.
const sets = (vd) => [vd.mirrors, vd.spans, [vd]].find((all) => all?.length);
const shares = (vd, bay) => sets(vd).find((one) => one.bays.includes(bay)) ?? vd;

// It is a member, or becomes one.
const serves = (drive) => Boolean(drive?.vd) && [...USED, "Rebuild"].includes(drive.state);

const work = (progress) => (progress ? [h("progress", { max: 100, value: progress.percent, "aria-label": progress.kind }),
  h("p", { class: "quiet" }, `${progress.kind}: ${percent(progress.percent)}, ${seconds(progress.seconds_left)} left. It goes on without this page, and after a power cut.`)] : []);

// What the pull costs, and whether it must not be now. What is at work on the drives is told by raidd (raid/hold.py).
function danger(bay, drive) {
  const vd = drive?.vd ? vdOf(drive.vd) : null;
  if (!vd) return ["good", `The drive in bay ${bay} belongs to no virtual drive: pulling it costs no data of ours.`, false];
  if (RESTS.includes(vd.state) && NEEDED.includes(drive.state)) return ["bad", `${vd.name} does not run (${vd.state}), and this drive may be needed to bring it back. Pull nothing.`, true];
  if (drive.state === "Unknown") return ["bad", "It is not known yet what this drive is good for: wait until it is.", true];
  const used = USED.includes(drive.state);
  if (used && shares(vd, bay).tolerance < 1) return ["bad", `${vd.name} cannot lose this drive: pulling this one loses ALL its recordings. Mend ${vd.name} first.`, true];
  if (drive.hold) return ["bad", `${drive.hold} This page waits until that has ended.`, true];
  if (drive.state === "Rebuild") return ["warn", `${vd.name} is being rebuilt onto this drive: pulling it ends that, and ${vd.name} stays as it is. Pull no other drive.`, false];
  if (!used) return ["good", `${vd.name} does not use this drive any more (${drive.state}). Pull no other drive.`, false];
  return ["warn", `The drive works and belongs to ${vd.name}, which will be Degraded until the new one is rebuilt.`, false];
}

// What stands in the other bays, while this one is being worked on.
function others(bay, name) {
  const vd = name ? vdOf(name) : null;
  if (!vd) return [];
  const own = shares(vd, bay);
  const spare = (one) => one.tolerance - (one === own && USED.includes(driveOf(bay)?.state) && bayView(bay)?.present ? 1 : 0); // once this one is out
  const bays = (all) => all.flatMap((one) => one.bays).filter((one) => one !== null && one !== bay);
  const fatal = bays(sets(vd).filter((one) => spare(one) < 1));
  const safe = bays(sets(vd).filter((one) => spare(one) >= 1));
  const least = Math.min(...sets(vd).map(spare).filter((left) => left > 0));
  const text = fatal.length === 1 ? `Pull no other drive: without the one in bay ${fatal[0]} ALL recordings of ${vd.name} are lost.`
    : fatal.length ? `Pull no other drive: bays ${fatal.join(", ")} hold ${vd.name} too, and without one of them ALL its recordings are lost.`
    : `Bays ${safe.join(", ")} hold ${vd.name} too: without ${least + 1} of them all its recordings are lost.`;
  return h("p", { class: fatal.length ? "problem" : "waiting" }, text);
}

// Other drives of it that are not whole, though it may be Optimal: md counts one with bad blocks, unreadable sectors or a
// failure that is predicted as whole. The same as in nvr/cli/replace_steps.py.
function weak(bay, name) {
  const vd = name ? vdOf(name) : null;
  const own = drivesIn(bay).find((drive) => drive.vd === name);
  if (!vd || !own) return [];
  const uses = USED.includes(own.state);
  const left = shares(vd, bay).tolerance - (uses ? 1 : 0);
  const first = (one) => (own.state === "Online" ? ` Replace the drive in bay ${one.bay} first.` : "");
  const found = (known("raid")?.drives ?? []).filter((one) => one.vd === name && shares(vd, bay).bays.includes(one.bay) && one.bay !== bay && ["Online", "Shield"].includes(one.state)).map((one) => {
    const mine = (bad) => bad.bay === one.bay && bad.serial === one.serial;
    const places = vd.bad_blocks.filter(mine).reduce((sum, bad) => sum + bad.places, 0) + (known("raid")?.patrol?.bad ?? []).filter((bad) => mine(bad) && !bad.rewritten).length;
    return { bay: one.bay, places, said: [places ? `lacks ${places} place(s) (bad blocks, or sectors that cannot be read)` : [], one.state === "Shield" ? `is expected to fail (${one.smart.detail.replace(/\.$/, "")})` : []].flat().join(" and ") };
  }).filter((one) => one.said);
  const loses = uses && found.filter((one) => one.places).length > left;
  return found.map((one) => ({ bay: one.bay, lost: loses && one.places > 0, text: `The drive in bay ${one.bay} ${one.said}. ` + (
    loses && one.places ? `What lies there is LOST with the pull of bay ${bay}.${first(one)}`
      : left > 0 ? `${vd.name} bears that, too, while bay ${bay} is out.`
        : one.places ? `What lies there cannot be read or rebuilt while bay ${bay} is out.`
          : `Should it fail before bay ${bay} is rebuilt, ALL recordings of ${vd.name} are lost.${first(one)}`) }));
}

const groupOf = (bay) => drivesIn(bay).find((drive) => drive.vd)?.vd ?? null;

export function startReplace(bay) {
  const before = present();
  let old = driveOf(bay);
  let group = groupOf(bay);
  let agreed = []; // bays whose places are lost with the pull
  const size = Math.max(0, ...drivesIn(bay).map((drive) => drive.size));
  const empty = bayView(bay)?.present === false;
  let step = 0;
  let sure = false; // asked once more, when the pull loses something
  const to = (next) => () => {
    step = next;
    draw();
  };
  const next = (label, target, more = {}) => h("button", { class: "main", "data-key": "next", onclick: to(target), ...more }, label);
  const stop = h("button", { "data-key": "stop", onclick: async () => { await locate(bay, false); close(); } }, "Stop here");

  const wrongOnes = () => Object.entries(present()).filter(([number, here]) => Number(number) !== bay && here === false && before[number] === true).map(([number]) => number);
  const alarmOf = (wrong) => (wrong.length ? h("p", { class: "problem", role: "alert" }, `Bay ${wrong.join(", ")} was pulled, not bay ${bay}! Put that drive back at once, into the same bay.`) : []);

  const pages = [
    () => {
      old = driveOf(bay) ?? old; // what is agreed to is what is shown
      group = groupOf(bay);
      const [kind, text, refuse] = danger(bay, old);
      const hang = refuse ? [] : weak(bay, group);
      agreed = hang.filter((one) => one.lost).map((one) => one.bay);
      const lost = agreed.join(" and ");
      const go = lost && !sure ? h("button", { class: "main", "data-key": "sure", onclick: () => { sure = true; draw(); } }, "It is this one")
        : next(lost ? `Go on: what bay ${lost} lacks may be lost` : "It is this one", empty ? 3 : 1, lost ? { class: "danger" } : {});
      return [facts(bay), h("p", { class: kind === "good" ? "note" : "problem" }, text), refuse ? work(vdOf(old?.vd)?.progress) : others(bay, group), hang.map((one) => h("p", { class: "problem" }, one.text)),
        h("div", { class: "buttons" }, refuse ? [] : go, h("button", { "data-key": "back", onclick: () => openBay(bay) }, "Back"))];
    },
    () => {
      const blinks = bayView(bay)?.locate;
      return [h("p", {}, `Let bay ${bay} blink, and go to the machine. Its amber light blinks fast; every other bay's does not.`),
        h("p", {}, "On the drive's label: ", h("strong", {}, old?.serial || "serial unknown"), ` (${old?.model || "model unknown"})`),
        h("div", { class: "buttons" },
          blinks ? next(`I stand before bay ${bay}`, 2) : h("button", { class: "main", "data-key": "next", onclick: () => locate(bay, true) }, `Make bay ${bay} blink`), stop)];
    },
    () => {
      const wrong = wrongOnes();
      const out = bayView(bay)?.present === false;
      if (out && !wrong.length && step === 2) setTimeout(to(3), 400);
      const drive = driveOf(bay); // what was so a minute ago may be so no more
      const [, text, refuse] = danger(bay, drive);
      const more = weak(bay, group).filter((one) => one.lost && !agreed.includes(one.bay)).map((one) => one.text).join(" ");
      const anew = more || (serves(drive) && !serves(old)); // nobody agreed to that; a hot spare may have become a member
      const notNow = refuse || anew;
      return [
        alarmOf(wrong),
        notNow && !out ? [h("p", { class: "problem" }, `Do not pull bay ${bay} now. ${refuse ? text : more || text}`), work(vdOf(drive?.vd)?.progress)]
          : [h("p", {}, `Pull the drive out of bay ${bay} now. This page sees it when it is out.`), others(bay, group)],
        notNow && !out ? [] : h("p", { class: out ? "note" : "waiting" }, out ? `Bay ${bay} is empty.` : `Waiting: bay ${bay} still holds ${old?.serial ?? "a drive"}.`),
        h("div", { class: "buttons" }, anew && !refuse && !out ? h("button", { "data-key": "again", onclick: () => startReplace(bay) }, "Begin again") : [], stop)];
    },
    () => {
      const drive = driveOf(bay);
      const here = bayView(bay)?.present === true;
      if (here && ["Rebuild", "Online"].includes(drive?.state) && drive.device && step === 3) setTimeout(to(4), 400);
      const said = !here ? h("p", { class: "waiting" }, `Waiting for a drive in bay ${bay}.`) : [
        h("p", {}, "Found: ", h("strong", {}, `${drive?.model ?? "model unknown"} ${drive?.serial ?? ""}`), drive ? [`, ${bytes(drive.size)}: `, word(drive.state, tone(drive.state))] : ": being read"),
        drive?.detail ? h("p", { class: drive.refused ? "problem" : "note" }, drive.detail) : [],
        mustClear(drive) ? h("p", { class: "problem" }, "It holds data of somebody, so it is not taken by itself.") : []];
      return [alarmOf(wrongOnes()), h("p", {}, `Put the new drive into bay ${bay}: blank, and of at least ${bytes(size)}.`), said, others(bay, group),
        h("div", { class: "buttons" },
          here && mustClear(drive) ? h("button", { class: "danger", "data-key": "clear", onclick: () => openClear(bay, () => show(draw)) }, "Clear it …") : [],
          here && drive && ["Blank", "Hot Spare", "Online"].includes(drive.state) ? next("Go on", 4) : [], stop)];
    },
    () => {
      const drive = driveOf(bay);
      const vd = drive?.vd ? vdOf(drive.vd) : null;
      const progress = vd?.progress;
      const done = drive?.state === "Online";
      return [
        h("p", {}, `Bay ${bay}: `, word(drive?.state, tone(drive?.state)), vd ? [`, ${vd.name} is `, word(vd.state, tone(vd.state))] : ""),
        work(progress),
        done ? h("p", { class: "note" }, "Done: the drive is a full member.") : h("p", { class: "waiting" }, progress ? "Pull no other drive until this is done." : "Waiting for the rebuild to begin."),
        h("div", { class: "buttons" }, h("button", { class: "main", "data-key": "next", onclick: async () => { if (bayView(bay)?.locate) await locate(bay, false); close(); } }, done ? "Finish" : "Close, it goes on"))];
    },
  ];
  function draw() {
    frame(`Replace the drive in bay ${bay}`, list(step), pages[step]());
  }
  show(draw);
}
