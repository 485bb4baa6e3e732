// Asks the API. An error has a sentence and what to do, both shown to the person.

import { toast } from "./dom.js";

const SESSION_OVER = "ACC-008"; // core/errors.py
const csrf = document.querySelector('meta[name="csrf-token"]').content;

export class Refused extends Error {
  constructor(error, status) {
    super(error.sentence);
    Object.assign(this, { code: error.code, hint: error.hint, status });
  }
}

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const error = body.error ?? { code: "", sentence: `The console answered ${response.status}.`, hint: "" };
  if (error.code === SESSION_OVER) location.assign("/login"); // not at a wrong password that was asked for once more
  throw new Refused(error, response.status);
}

export const get = async (path) => answer(await fetch(`/api/v1/${path}`));

// password: for the commands that ask for it once more.
export async function order(room, command, request = {}, password = null) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  if (password !== null) headers["X-Rackeye-Password"] = encodeURIComponent(password);
  return answer(await fetch(`/api/v1/${room}/${command}`, { method: "POST", headers, body: JSON.stringify(request) }));
}

// Gives a command and says what came of it. Returns the reply, or null when it was refused.
export async function tell(room, command, request) {
  try {
    const reply = await order(room, command, request);
    toast(reply.text ?? reply.sentence ?? "Done.");
    return reply;
  } catch (error) {
    toast(said(error), "bad");
    return null;
  }
}

export function said(error) {
  if (error instanceof Refused) return `${error.message} ${error.hint ?? ""} ${error.code ? `[${error.code}]` : ""}`.trim();
  return "The console cannot be reached. Is the network there?";
}

export const mayChange = document.querySelector("#top").dataset.role === "administrator";
