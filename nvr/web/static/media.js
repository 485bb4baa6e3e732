// Live view and playback in the console: a wall of cameras over one connection, and one day's timeline.

import { h, put, s } from "./dom.js";
import { seconds, time } from "./format.js";
import { LiveLine, LiveView } from "./media-live.js";
import { Playback } from "./media-playback.js";
import { known, listen, now } from "./store.js";

const WIDTH = 1440; // of the timeline: of a day, a minute is one unit
const SPANS = { 3600: "The last hour", 86400: "The last 24 hours", day: "A day" };
const STILL = 4; // seconds without a picture
const line = new LiveLine();

async function get(path) {
  const answer = await fetch(`/api/v1/${path}`);
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${body.error.sentence} ${body.error.hint}`);
  return body;
}

// A camera's tile: it plays while it is wanted, on the screen, and the page is seen.
function tile(camera) {
  const video = h("video", { muted: true, "aria-label": `Live picture of ${camera}` });
  const said = h("p", { class: "quiet", role: "status" });
  const view = new LiveView(line, camera, video, (text) => put(said, text));
  let wanted = false;
  let seen = true;
  let plays = false;
  const button = h("button", { onclick: () => { wanted = !wanted; settle(); } }, "Watch");
  // A picture that stands still looks like a quiet street: its age is said, and it is dimmed.
  const age = h("p", { class: "problem", role: "status", hidden: true });
  const look = () => {
    const old = plays && view.age > STILL;
    age.hidden = !old;
    video.classList.toggle("old", old);
    if (old) put(age, `This picture is ${seconds(view.age)} old.`);
  };
  const timer = setInterval(look, 1000);
  const settle = () => {
    const should = wanted && seen && !document.hidden;
    if (should && !plays) view.start();
    if (!should && plays) view.stop();
    plays = should;
    put(button, wanted ? "Stop" : "Watch");
    button.setAttribute("aria-label", `${wanted ? "Stop" : "Watch"} ${camera}`);
    if (!wanted) put(said);
    video.hidden = !wanted;
    look();
  };
  const eye = new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; settle(); });
  const box = h("article", { class: "card", "data-camera": camera }, h("h4", {}, camera), video, age, said, h("div", { class: "buttons" }, button));
  eye.observe(box);
  document.addEventListener("visibilitychange", settle);
  settle();
  return { box, remove: () => { wanted = false; settle(); clearInterval(timer); eye.disconnect(); document.removeEventListener("visibilitychange", settle); box.remove(); } };
}

function bar(timeline, seek) {
  const x = (utc) => (WIDTH * (Math.min(Math.max(utc, timeline.start), timeline.end) - timeline.start)) / (timeline.end - timeline.start);
  const part = (one, kind, text) => s("rect", { x: x(one.start), y: 0, width: Math.max(0.5, x(one.end) - x(one.start)), height: 24, class: kind }, s("title", {}, text));
  return s("svg", { viewBox: `0 0 ${WIDTH} 24`, preserveAspectRatio: "none", class: "timeline", role: "img", "aria-label": `${timeline.recorded.length} stretches of video, ${timeline.holes.length} gaps`,
    onclick: (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      seek(timeline.start + ((timeline.end - timeline.start) * (event.clientX - box.left)) / box.width);
    } },
    timeline.recorded.map((one) => part(one, "there", `${time(one.start)} to ${time(one.end)}`)),
    timeline.holes.map((one) => part(one, "hole", `${seconds(one.end - one.start)} missing: ${one.reason}`)));
}

const local = (utc) => { // as <input type=date> has it
  const at = new Date(utc * 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
};

function player() {
  const video = h("video", { controls: true, hidden: true, "aria-label": "Recorded picture" });
  const said = h("p", { role: "status" });
  const clock = h("output", { class: "clock" });
  const asked = h("span", { class: "quiet" });
  const choice = h("select", { id: "play-camera", onchange: () => look() });
  const span = h("select", { id: "play-span", onchange: () => look() }, Object.entries(SPANS).map(([value, text]) => h("option", { value }, text)));
  const day = h("input", { type: "date", hidden: true, "aria-label": "Day", onchange: () => look() });
  const range = h("input", { type: "range", step: 1, "aria-label": "Moment of the day", disabled: true, oninput: () => put(clock, time(Number(range.value))), onchange: () => seek(Number(range.value)) });
  const picture = h("div", {});
  const gaps = h("ul", { class: "gaps" });
  const save = h("a", { class: "button", hidden: true, download: true }, "Download 5 minutes from here");
  let playback = null;
  let timeline = null;

  const moved = (utc) => {
    if (!range.matches(":active")) range.value = utc;
    put(clock, time(utc));
    save.href = `/api/v1/recordings/${choice.value}/stream?from=${utc.toFixed(0)}&to=${(utc + 300).toFixed(0)}&download=1`;
    save.hidden = false;
  };
  // The last moment that there is, less some seconds.
  const newest = (less) => {
    const last = timeline.recorded.at(-1);
    return last ? Math.max(last.start, last.end - less) : timeline.start;
  };
  const seek = (wanted) => {
    const utc = Math.min(wanted, newest(5));
    if (!playback) playback = new Playback(video, choice.value, { say: (text) => put(said, text), onMove: moved });
    playback.know(timeline);
    video.hidden = false;
    playback.seek(utc);
  };
  const look = async () => {
    playback?.stop();
    playback = null;
    video.hidden = save.hidden = true;
    put(said);
    if (!choice.value) return;
    day.hidden = span.value !== "day";
    const wanted = span.value === "day" ? `day=${day.value || local(now())}` : `from=${(now() - span.value).toFixed(0)}`;
    try {
      timeline = await get(`recordings/${choice.value}/timeline?${wanted}`);
      timeline.end = Math.min(timeline.end, timeline.at); // nothing is known of what comes
    } catch (error) {
      put(said, error.message);
      return;
    }
    put(picture, bar(timeline, seek));
    Object.assign(range, { min: timeline.start, max: timeline.end, disabled: !timeline.recorded.length });
    range.value = newest(60);
    put(clock, timeline.recorded.length ? "Choose a moment." : "Nothing is recorded in this time.");
    put(asked, `As it was at ${time(timeline.at)}.`);
    put(gaps, timeline.holes.slice(-20).reverse().map((one) => h("li", {}, `${time(one.start)}: ${seconds(one.end - one.start)} missing${one.now ? " until now" : ""}. ${one.reason}`)));
  };
  span.value = "86400";
  day.value = local(now());
  const box = h("div", { class: "playback" },
    h("h3", {}, "Recordings"),
    h("div", { class: "fields" }, h("label", { for: "play-camera" }, "Camera"), choice, h("label", { for: "play-span" }, "Time"), span, day),
    picture, range, h("div", { class: "buttons" }, clock, h("button", { onclick: () => look() }, "Look again"), asked, save), said, video, gaps);
  return { box, choice, look };
}

export function mount(root) {
  document.head.append(h("link", { rel: "stylesheet", href: "/static/media.css" }));
  const wall = h("div", { class: "wall" });
  const play = player();
  const tiles = new Map();
  root.append(h("h3", {}, "Live view"), wall, play.box);
  const draw = () => {
    const names = (known("recorder")?.cameras ?? []).map((camera) => camera.name);
    for (const [name, one] of tiles) if (!names.includes(name)) { one.remove(); tiles.delete(name); }
    const fresh = names.filter((name) => !tiles.has(name));
    for (const name of fresh) {
      tiles.set(name, tile(name));
      wall.append(tiles.get(name).box);
    }
    if (fresh.length || play.choice.length !== names.length) {
      const chosen = play.choice.value;
      put(play.choice, names.map((name) => h("option", { value: name, selected: name === chosen }, name)));
      if (play.choice.value !== chosen) play.look();
    }
  };
  listen((key) => key === "recorder" && draw());
  draw();
}
