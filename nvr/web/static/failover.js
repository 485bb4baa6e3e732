// The redundant server: what it says of itself. It is configured from the CMS, not here.

import { fact } from "./bay.js";
import { h, put } from "./dom.js";
import { known } from "./store.js";

export function failover(body) {
  const data = known("failover");
  if (!data) return put(body, h("p", { class: "unknown" }, "unknown"));
  return put(body, data.problems.map((text) => h("p", { class: "problem" }, text)),
    h("p", {}, data.sentence), h("dl", { class: "facts" }, fact("State", data.state), fact("Version", data.version)));
}
