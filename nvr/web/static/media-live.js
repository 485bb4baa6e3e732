// Live pictures: every camera of the page over one WebSocket, each into a Media Source of its own.
//
// To the server: {"open": camera}, {"close": camera}. From it: messages that name a channel's camera and codec, and
// binary frames: one byte channel, then fragmented MP4.

const Source = window.ManagedMediaSource ?? window.MediaSource; // an iPhone has only the managed one
const BEHIND = 0.3; // seconds behind the newest picture: what one tenth of a second of jitter needs
const LATE = 1.0; // further behind than this: jump
const KEPT = 15; // seconds kept behind the playing position
const MOST = 12 << 20; // bytes waiting for the decoder; more: it does not keep up, and a key frame must come first

export const NO_SOURCE = "This browser has no Media Source Extensions: it can play no live pictures. Recordings can be downloaded.";

// Why a codec cannot be played here; empty when it can.
export function refusal(codec) {
  if (!Source) return NO_SOURCE;
  if (Source.isTypeSupported(`video/mp4; codecs="${codec}"`)) return "";
  return `This browser cannot play ${codec}. It is recorded all the same, and can be downloaded.`;
}

// One buffer of one video element, fed in order. `failed` is told when it cannot go on.
export class Feed {
  constructor(video, failed) {
    this.video = video;
    this.failed = failed;
    this.waiting = [];
    this.size = 0;
    this.buffer = null;
    this.source = new Source();
    this.opened = new Promise((resolve) => this.source.addEventListener("sourceopen", resolve, { once: true }));
    video.disableRemotePlayback = true; // the managed source asks for it
    this.address = URL.createObjectURL(this.source);
    video.src = this.address;
    this.onAppended = () => {};
  }

  async begin(codec) {
    await this.opened;
    const type = `video/mp4; codecs="${codec}"`;
    if (this.source.readyState !== "open") return;
    if (this.buffer === null) {
      this.buffer = this.source.addSourceBuffer(type);
      this.buffer.addEventListener("updateend", () => { this.onAppended(); this.pump(); });
      this.type = type;
    } else if (this.type !== type) {
      this.waiting.push(type);
    }
    this.pump();
  }

  // Whether something is not yet with the decoder.
  get busy() {
    return this.waiting.length > 0 || Boolean(this.buffer?.updating);
  }

  push(bytes) {
    this.waiting.push(bytes);
    this.size += bytes.byteLength;
    this.pump();
  }

  pump() {
    if (!this.buffer || this.buffer.updating || this.source.readyState !== "open" || !this.waiting.length) return;
    if (typeof this.waiting[0] === "string") {
      this.type = this.waiting.shift();
      this.buffer.changeType(this.type);
      return this.pump();
    }
    const until = this.waiting.findIndex((one) => typeof one === "string");
    const parts = this.waiting.slice(0, until < 0 ? this.waiting.length : until);
    try {
      this.buffer.appendBuffer(parts.length === 1 ? parts[0] : joined(parts));
    } catch (error) {
      if (error.name === "QuotaExceededError" && this.forget(0.5)) return undefined; // tried again when that is done
      return this.failed(error);
    }
    this.waiting.splice(0, parts.length);
    this.size -= parts.reduce((sum, part) => sum + part.byteLength, 0);
    return undefined;
  }

  // Drops what lies more than `seconds` behind; true when there was something.
  forget(seconds) {
    const { buffered } = this.buffer;
    const until = this.video.currentTime - seconds;
    if (this.buffer.updating || !buffered.length || buffered.start(0) >= until - 1) return false;
    this.buffer.remove(0, until);
    return true;
  }

  close() {
    this.waiting = [];
    if (this.source.readyState === "open") try { this.source.endOfStream(); } catch { /* it is busy, and goes anyway */ }
    URL.revokeObjectURL(this.address);
    this.video.removeAttribute("src");
    this.video.load();
  }
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  parts.reduce((at, part) => { whole.set(part, at); return at + part.byteLength; }, 0);
  return whole;
}

// One camera in one video element. say(text): what a person should know; empty when all is well.
export class LiveView {
  constructor(line, camera, video, say = () => {}) {
    Object.assign(this, { line, camera, video, say, jumps: 0, codec: "", feed: null, heard: 0 });
    video.muted = true;
    video.playsInline = true;
  }

  start() {
    this.say("Waiting for the picture …");
    this.line.open(this.camera, this);
  }

  stop() {
    this.heard = 0;
    this.line.close(this.camera);
    this.drop();
  }

  drop() {
    this.feed?.close();
    this.feed = null;
  }

  // The stream begins, or begins anew with another codec.
  begin(message) {
    const why = refusal(message.codec);
    this.codec = message.codec;
    this.say(why);
    if (why) return this.stop();
    if (!this.feed) {
      this.feed = new Feed(this.video, () => this.anew());
      this.feed.onAppended = () => this.follow();
      this.video.onerror = () => this.anew();
    }
    return this.feed.begin(message.codec);
  }

  // Seconds since the last picture came; null while none has come yet.
  get age() {
    return this.heard ? (performance.now() - this.heard) / 1000 : null;
  }

  take(bytes) {
    this.heard = performance.now();
    if (!this.feed) return;
    if (this.feed.size > MOST) return this.anew();
    this.feed.push(bytes);
  }

  // The decoder gave up, or does not keep up: a new one, from the next key frame on.
  anew() {
    if (!this.feed) return;
    this.drop();
    this.line.close(this.camera);
    setTimeout(() => this.line.open(this.camera, this), 500);
  }

  // Keeps near the newest picture. A hole (pictures that were dropped on the way) is jumped over.
  follow() {
    const { buffered } = this.video;
    if (!buffered.length) return;
    const last = buffered.length - 1;
    const [start, end] = [buffered.start(last), buffered.end(last)];
    const at = this.video.currentTime;
    if (at < start || end - at > LATE) {
      const to = Math.max(start, end - BEHIND);
      if (to > at) {
        this.video.currentTime = to;
        this.jumps += 1;
      }
    }
    if (this.video.paused) this.video.play().catch(() => {}); // where it may not start by itself, the person does
    if (end - start > KEPT * 2) this.feed.forget(KEPT);
  }
}

// The page's one connection; opens with the first camera, closes after the last, comes back by itself.
export class LiveLine {
  constructor(address = `${location.protocol === "http:" ? "ws" : "wss"}://${location.host}/api/v1/live`) {
    this.address = address;
    this.views = new Map(); // by camera
    this.channels = new Map(); // camera's view by number
    this.socket = null;
    this.pause = 0;
    this.received = 0; // bytes
  }

  open(camera, view) {
    this.views.set(camera, view);
    if (!this.socket) this.connect();
    else this.send({ open: camera });
  }

  close(camera) {
    const view = this.views.get(camera);
    this.views.delete(camera);
    for (const [number, one] of this.channels) if (one === view) this.channels.delete(number);
    this.send({ close: camera });
    if (!this.views.size && this.socket) this.socket.close();
  }

  send(wish) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(wish));
  }

  connect() {
    if (this.socket || !this.views.size) return;
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      for (const camera of this.views.keys()) this.send({ open: camera });
    };
    socket.onmessage = (event) => (typeof event.data === "string" ? this.hear(JSON.parse(event.data)) : this.take(event.data));
    socket.onclose = (event) => {
      this.socket = null;
      this.channels.clear();
      for (const view of this.views.values()) {
        view.drop();
        view.say(event.reason || "The connection is interrupted; it is tried again.");
      }
      if (event.code === 4401) return; // the session is over: the page goes to the login by itself
      this.pause = Math.min(15, this.pause * 2 + 0.5);
      setTimeout(() => this.connect(), this.pause * 1000);
    };
  }

  hear(message) {
    const view = this.views.get(message.camera);
    if (message.error) {
      const text = `${message.error.sentence} ${message.error.hint}`.trim();
      for (const one of view ? [view] : this.views.values()) one.say(text);
      return;
    }
    if (!view) return;
    this.pause = 0;
    this.channels.set(message.channel, view);
    if (message.codec) view.begin(message);
  }

  take(data) {
    this.received += data.byteLength;
    this.channels.get(new Uint8Array(data, 0, 1)[0])?.take(new Uint8Array(data, 1));
  }
}
