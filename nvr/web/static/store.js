// What the daemons say, as the event stream brings it. A room is { data, at, answers }: `data` is the last word, and
// `answers` false means that it is old. The clock is the machine's, not the browser's.

export const ROOMS = ["raid", "panel", "fan", "recorder", "policy", "box", "failover"];
export const rooms = Object.fromEntries(ROOMS.map((key) => [key, { data: null, at: null, answers: false, since: null }]));
export const line = { up: false, heard: 0, over: false };
const listeners = new Set();
let ahead = 0; // the machine's clock less ours, seconds

export const now = () => Date.now() / 1000 + ahead;
export const listen = (listener) => listeners.add(listener);
const tell = (key) => listeners.forEach((listener) => listener(key));

export const known = (key) => rooms[key].data;
export const live = (key) => rooms[key].answers && line.up;
// Failover Mode, by boxd's last word; while there is none, by whether the failover service is there. No recorder runs then.
export const redundant = () => (rooms.box.data ? rooms.box.data.mode === "Failover Mode" : rooms.failover.answers);
// How old what a room shows is, in seconds; 0 while it answers.
export const old = (key) => (live(key) ? 0 : Math.max(0, now() - (line.up ? rooms[key].since ?? now() : line.heard || now())));

function hear(key, event) {
  const room = rooms[key];
  const envelope = JSON.parse(event.data);
  if (envelope === null) {
    if (room.answers || room.since === null) room.since = now();
    room.answers = false;
  } else {
    Object.assign(room, { data: envelope.data, at: envelope.at, answers: true, since: null });
  }
  tell(key);
}

export function connect() {
  const source = new EventSource("/api/v1/events");
  for (const key of ROOMS) source.addEventListener(key, (event) => hear(key, event));
  source.addEventListener("tick", (event) => {
    ahead = JSON.parse(event.data).now - Date.now() / 1000;
    line.heard = now();
    if (!line.up) {
      line.up = true;
      tell("line");
    }
  });
  source.addEventListener("over", () => location.assign("/login"));
  source.onerror = async () => {
    line.up = false;
    tell("line");
    if (source.readyState === EventSource.CLOSED) { // refused, not only interrupted: the session may be over
      try {
        const answer = await fetch("/api/v1/session");
        if (answer.status === 401 || answer.status === 403) return location.assign("/login");
      } catch { /* not reachable: tried again below */ }
      setTimeout(connect, 3000);
    }
    return undefined;
  };
  return source;
}

// A line that is dead without saying so: nothing for longer than the server ever is quiet.
setInterval(() => {
  if (line.up && now() - line.heard > 25) {
    line.up = false;
    tell("line");
  }
}, 2000);
