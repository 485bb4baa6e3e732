// Cameras and recording volumes.

import { mayChange, order, said, tell } from "./api.js";
import { close, frame, show } from "./bay.js";
import { h, put, table, toast, word } from "./dom.js";
import { tone } from "./drives.js";
import { bytes, rate, seconds, time } from "./format.js";
import { known, now } from "./store.js";

const age = (at) => (at === null ? h("span", { class: "unknown" }, "never") : h("time", { "data-at": at, title: time(at) }, seconds(now() - at), " ago"));

function gaps(camera) {
  if (!camera.gap_count) return "none";
  const last = camera.gaps[0];
  return h("span", { title: camera.gaps.map((gap) => `${time(gap.start)} to ${time(gap.end)}`).join("\n") },
    `${camera.gap_count}, ${seconds(camera.gap_seconds)} in all`, last ? h("br") : [], last ? h("span", { class: "quiet" }, `last ${time(last.start)}`) : []);
}

function row(camera) {
  return [
    h("strong", {}, camera.name),
    [word(camera.state, tone(camera.state)), camera.detail ? [h("br"), h("span", { class: "quiet" }, camera.detail)] : []],
    age(camera.last_frame),
    camera.state === "recording" ? rate(camera.bitrate) : "-",
    camera.width ? `${camera.width}×${camera.height}` : "unknown",
    gaps(camera),
    camera.volume ?? "none",
    h("span", { class: "mono" }, camera.url),
    mayChange ? h("button", { class: "plain", "data-key": `remove-${camera.name}`, "aria-label": `Remove ${camera.name}`, onclick: () => openRemove(camera.name) }, "Remove …") : "",
  ];
}

function openRemove(name) {
  show(() => frame(`Remove camera ${name}`, h("p", {}, "It is recorded no more. What is recorded stays until it is recycled."),
    h("div", { class: "buttons" }, h("button", { class: "danger", onclick: async () => {
      if (await tell("recorder", "RemoveCamera", { name })) close();
    } }, `Remove ${name}`), h("button", { onclick: close }, "Back"))));
}

function openAdd() {
  const field = (id, label, more = {}) => [h("label", { for: `camera-${id}` }, label), h("input", { id: `camera-${id}`, name: id, autocomplete: "off", spellcheck: "false", ...more })];
  const failed = h("div", { role: "alert" });
  const add = async (event) => {
    event.preventDefault();
    try {
      toast((await order("recorder", "AddCamera", Object.fromEntries(new FormData(form)))).text);
      close();
    } catch (error) {
      put(failed, h("p", { class: "problem" }, said(error)));
    }
  };
  const form = h("form", { class: "fields", onsubmit: add },
    field("name", "Name (a-z, 0-9, -)", { required: true, pattern: "[a-z0-9][a-z0-9\\-]{0,31}" }),
    field("url", "Address", { required: true, placeholder: "rtsp://192.0.2.10/stream1" }),
    field("user", "User"), field("password", "Password", { type: "password" }),
    h("button", { class: "main", type: "submit" }, "Add"));
  let drawn = false;
  show(() => {
    if (drawn) return;
    drawn = true;
    frame("Add a camera", form, failed);
  });
}

function volume(one) {
  const used = one.total ? 100 * (1 - one.free / one.total) : null;
  return h("article", { class: `card ${tone(one.state)}` }, h("h3", {}, `Volume ${one.name} `, word(one.state, tone(one.state))),
    one.detail ? h("p", {}, one.detail) : [],
    used === null ? [] : h("meter", { min: 0, max: 100, value: used, "aria-label": "Used" }),
    h("p", {}, `${bytes(one.recorded)} of video in ${one.segments} files; ${bytes(one.free)} free of ${bytes(one.total)}`),
    h("p", { class: "quiet" }, one.oldest === null ? "Nothing recorded yet." : `Goes back ${seconds(now() - one.oldest)}, to ${time(one.oldest)}.`));
}

export function cameras(body) {
  const data = known("recorder");
  if (!data) return put(body, h("p", { class: "unknown" }, "unknown"));
  return put(body,
    data.problems.map((text) => h("p", { class: "problem" }, text)),
    data.cameras.length ? table(["Camera", "State", "Last frame", "Bit rate", "Picture", "Gaps", "Volume", "Address", ""], data.cameras.map(row), "Cameras") : h("p", {}, "No camera yet."),
    mayChange ? h("div", { class: "buttons" }, h("button", { "data-key": "add-camera", onclick: openAdd }, "Add a camera …")) : [],
    h("div", { class: "cards" }, data.volumes.map(volume)));
}
