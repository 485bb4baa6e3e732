// Playback of what is recorded: one stream from a moment on, at the pace of the decoder; gaps are jumped over.
//
// The stream's times are UTC less `epoch`, so that the place in the video is the place in the day.

import { Feed, refusal } from "./media-live.js";

const AHEAD = 30; // seconds that are fetched beforehand
const KEPT = 60; // seconds kept behind
const NEAR = 5; // seconds before the end of what was there: ask whether there is more by now
const AGAIN = 3000; // ms
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export class Playback {
  // say(text): what a person should know. onMove(utc): the position.
  constructor(video, camera, { say = () => {}, onMove = () => {} } = {}) {
    Object.assign(this, { video, camera, say, onMove, feed: null, epoch: 0, holes: [], jumped: [], abort: null, end: null, place: null });
    video.muted = true;
    video.playsInline = true;
    video.ontimeupdate = () => this.moved();
    video.onwaiting = () => this.moved();
    video.onerror = () => this.failed(video.error?.message ?? "");
  }

  get utc() {
    return this.epoch + this.video.currentTime;
  }

  // What is there; the holes' reasons are told when they are jumped over.
  know(timeline) {
    this.holes = timeline.holes;
  }

  async seek(utc) {
    const at = utc - this.epoch;
    const { buffered } = this.video;
    for (let i = 0; this.feed && i < buffered.length; i += 1) {
      if (buffered.start(i) <= at && at < buffered.end(i) - 0.5) {
        this.video.currentTime = at;
        return undefined;
      }
    }
    this.stop();
    this.epoch = Math.floor(utc) - 60; // the group of pictures that holds the moment begins a little before it
    this.wanted = utc;
    return this.load(utc);
  }

  stop() {
    this.abort?.abort();
    this.abort = null;
    this.feed?.close();
    this.feed = null;
    this.end = this.place = null;
    clearTimeout(this.timer);
  }

  async load(from) {
    const abort = new AbortController(); // after each wait: whether another moment was chosen meanwhile
    this.abort = abort;
    this.end = null;
    try {
      const answer = await fetch(`/api/v1/recordings/${this.camera}/stream?from=${from.toFixed(3)}&epoch=${this.epoch}`, { signal: abort.signal });
      if (abort.signal.aborted) return;
      if (!answer.ok) {
        const { error } = await answer.json();
        if (abort.signal.aborted) return;
        this.end = from;
        if (this.feed) this.timer = setTimeout(() => this.moved(), AGAIN);
        else this.say(`${error.sentence} ${error.hint}`);
        return;
      }
      await this.begin(answer.headers.get("X-Rackeye-Codec"), Number(answer.headers.get("X-Rackeye-Start")));
      if (abort.signal.aborted) return;
      await this.read(answer.body.getReader(), abort);
    } catch (error) {
      if (!abort.signal.aborted) this.failed(error.message);
    }
  }

  async begin(codec, start) {
    const why = refusal(codec);
    if (why) {
      this.say(why);
      throw new Error(why);
    }
    if (!this.feed) {
      this.feed = new Feed(this.video, (error) => this.failed(error.message));
      this.feed.onAppended = () => this.moved();
      this.say("");
      if (start > this.wanted + 0.5) this.tell(this.wanted, start);
      this.place = Math.max(this.wanted, start) - this.epoch;
    }
    await this.feed.begin(codec);
  }

  async read(reader, abort) {
    for (;;) {
      const { value, done } = await reader.read();
      if (abort.signal.aborted) return;
      if (done) break;
      this.feed.push(value);
      while (this.ahead() > AHEAD && !abort.signal.aborted) await pause(250);
    }
    while (this.feed.busy) {
      await pause(50);
      if (abort.signal.aborted) return;
    }
    this.end = this.newest();
    this.moved();
  }

  newest() {
    const { buffered } = this.video;
    return buffered.length ? this.epoch + buffered.end(buffered.length - 1) : this.wanted;
  }

  ahead() {
    return this.place === null ? this.newest() - this.utc : 0;
  }

  moved() {
    if (!this.feed) return; // a word of the source that was there before
    const { buffered } = this.video;
    if (this.place !== null) { // a browser cuts a seek down to what it has: only once that place is there, or never will be
      if (this.video.readyState < HTMLMediaElement.HAVE_METADATA || !buffered.length) return;
      const last = buffered.end(buffered.length - 1);
      if (last <= this.place && this.end === null) return;
      this.video.currentTime = Math.max(Math.min(this.place, last - 0.1), buffered.start(0));
      this.place = null;
      this.video.play().catch(() => {});
    }
    const { currentTime } = this.video;
    for (let i = 0; i + 1 < buffered.length; i += 1) {
      if (currentTime >= buffered.end(i) - 0.15 && currentTime < buffered.start(i + 1)) {
        this.tell(this.epoch + buffered.end(i), this.epoch + buffered.start(i + 1));
        this.video.currentTime = buffered.start(i + 1) + 0.001;
        break;
      }
    }
    if (this.feed.buffer && currentTime > KEPT * 1.5) this.feed.forget(KEPT);
    this.onMove(this.utc);
    if (this.end !== null && this.utc > this.end - NEAR) { // what was recorded meanwhile
      const from = this.end;
      this.end = null;
      this.timer = setTimeout(() => this.goOn(from), AGAIN);
    }
  }

  async goOn(from) {
    const { feed } = this;
    if (!feed) return;
    try {
      const timeline = await (await fetch(`/api/v1/recordings/${this.camera}/timeline?from=${(from - 60).toFixed(3)}`)).json();
      if (this.feed !== feed) return; // another moment was chosen
      if (timeline.recorded?.at(-1)?.end > from + 0.5) {
        this.holes = [...this.holes, ...timeline.holes];
        await this.load(from);
        return;
      }
    } catch { /* not reachable: asked again */ }
    if (this.feed !== feed) return;
    this.end = from;
    this.timer = setTimeout(() => this.moved(), AGAIN);
  }

  // A gap was jumped over.
  tell(from, to) {
    if (to - from < 0.5) return;
    const hole = this.holes.find((one) => one.start < to && from < one.end);
    this.jumped.push({ from, to, reason: hole?.reason ?? "" });
    this.say(`${(to - from).toFixed(0)} s without pictures. ${hole?.reason ?? ""}`.trim());
  }

  failed(text) {
    this.stop();
    this.say(`Playback stopped. ${text} Choose a moment to go on.`);
  }
}
