// Counts active time for pay on every working page: the element with data-beat names the campaign's API.
// The server decides what counts: never more than passed since the last heartbeat that it stored. So what it did
// not answer is claimed again with what came since, under a new key, and counts once even if only the answer was lost.

import { makeApi } from "./labelling/api.js";
import { Clock } from "./labelling/clock.js";
import { worked } from "./labelling/words.js";

const BEAT_EVERY_MS = 45_000;
const MOST_SECONDS = 30 * 60; // no heartbeat reaches further back
const BEATS_UNTIL_ASKED_AGAIN = 20; // a new day or another tab: then the page's own sum is no longer right

const { beat, person, csrfCookie, activity } = document.querySelector("[data-beat]").dataset;
const places = { seconds_today: "[data-hours-today]", seconds_this_month: "[data-hours-month]" };
const isShown = document.querySelector(Object.values(places).join()) !== null;
const send = makeApi(beat, csrfCookie, person);
const clock = new Clock();
let waiting = null; // the heartbeat that is not answered yet
let isSending = false;
let hours = null;
let beats = 0;

// A second heartbeat after the first would be too late: it cannot reach back beyond the end of the first.
function next() {
  const seconds = (waiting?.active_seconds ?? 0) + clock.take();
  if (seconds > 0) waiting = { key: crypto.randomUUID(), active_seconds: Math.min(seconds, MOST_SECONDS), activity };
  return waiting;
}

async function tick({ keepalive = false } = {}) {
  if (isSending && !keepalive) return;
  const sent = next();
  if (!sent) return;
  isSending = true;
  const { status, body } = await send("POST", "beat/", sent, { keepalive });
  isSending = false;
  if (status === 200) {
    if (waiting === sent) waiting = null;
    count(body.counted_seconds);
  } else if (status === 400 || status === 404) {
    waiting = null; // it will never be taken
  }
}

function count(seconds) {
  beats += 1;
  if (!isShown) return;
  if (!hours || beats % BEATS_UNTIL_ASKED_AGAIN === 0) return void ask();
  show({ seconds_today: hours.seconds_today + seconds, seconds_this_month: hours.seconds_this_month + seconds });
}

async function ask() {
  const { status, body } = await send("GET", "hours/");
  if (status === 200) show(body);
}

function show(counted) {
  hours = counted;
  for (const line of document.querySelectorAll("[data-hours-line]")) line.hidden = false;
  for (const [name, place] of Object.entries(places)) {
    for (const element of document.querySelectorAll(place)) element.textContent = worked(counted[name]);
  }
}

document.addEventListener("visibilitychange", () => document.hidden && void tick({ keepalive: true }));
window.addEventListener("pagehide", () => void tick({ keepalive: true }));
setInterval(() => void tick(), BEAT_EVERY_MS);
if (isShown) void ask();
