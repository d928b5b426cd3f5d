// The labelling loop as data: the sample on screen, those fetched ahead, and what the server has not stored yet.
// Nothing here knows the page, the network or the clock. Each function takes a state and returns the next one:
// `due` names the request to send, `sent` notes that it left, `answered` draws the consequences. One request is
// on its way at a time, so the server hears of everything in the order in which the person did it.

export const AHEAD = 2;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const ASK_AGAIN_MS = 60_000;
const UNDOABLE = 10;
const COUNTED_ANEW_EVERY = 10; // between, each label stored is one more here: counting them all takes time
const STEPS = ["label", "pass", "undo"]; // what can be undone, and the undoing; a flag is beside the row

export const begin = (card, standing) => ({
  current: card, // on screen; null while the next one is on its way
  isFresh: true, // just loaded: a draft may have reached the server after it made the page
  ahead: [], // in memory, not seen yet
  outbox: [], // {kind: "label" | "pass" | "flag" | "undo", key, card, …}, oldest first
  sending: null,
  delivered: [], // names by which the server undoes what it stored, newest last
  standing,
  since: 0, // labels stored since the server last counted
  link: "up", // "up" | "down" (no connection) | "busy" (the server cannot) | "signed_out"
  waitsForPerson: false, // signed out: no request before the person is back
  tries: 0,
  retryAt: 0,
  askAt: 0, // no use asking for more samples before this moment
  mustAsk: false,
  refusals: [], // {number, detail}: what the server will never store; the loop stops
  lastStored: null, // {kind: "label" | "pass", at, receipt}
  news: null, // {kind, …}: what the last answer brought that the person should hear of
});

// --- What the person does ---------------------------------------------------------------------------------

/** Keep what was entered for the sample on screen, so that it is there when the sample comes back. */
export const keep = (state, entered) =>
  state.current ? { ...state, current: { ...state.current, entered } } : state;

/** Put a label or a pass into the outbox and go on to the next sample. `entry` is {kind, key, …}. */
export function submit(state, entry) {
  const [next = null, ...ahead] = state.ahead;
  const card = { ...state.current, errors: {}, problem: "" };
  const outbox = [...state.outbox, { ...entry, card, tried: false }];
  return { ...state, outbox, current: next, ahead, news: null };
}

/** Put a flag about a sample into the outbox. `entry` is {key, card, flag: {kind, words}}. */
export const flag = (state, entry) => ({
  ...state,
  outbox: [...state.outbox, { ...entry, kind: "flag", tried: false }],
});

/** Undo the last label or pass: at once while it has not left, else by asking the server. */
export function undo(state, key) {
  const at = state.outbox.findLastIndex((entry) => STEPS.includes(entry.kind));
  const last = state.outbox[at];
  if (last?.kind === "undo") return state;
  if (last && !last.tried) return bring({ ...state, outbox: state.outbox.toSpliced(at, 1), news: null }, last.card);
  return { ...state, outbox: [...state.outbox, { kind: "undo", key, card: null, tried: false }], news: null };
}

/** The server does not know the person any more: nothing more is sent before the person is back. */
export const signedOut = (state) => ({ ...state, link: "signed_out", waitsForPerson: true });

/** The connection is back, the person has signed in, or wants it tried again now. */
export const wake = (state) => ({
  ...state,
  retryAt: 0,
  waitsForPerson: false,
  mustAsk: state.mustAsk || state.link === "signed_out",
});

// --- What is sent -----------------------------------------------------------------------------------------

/** Return the request to send now, or null. */
export function due(state, now) {
  if (state.sending || state.waitsForPerson || now < state.retryAt) return null;
  if (state.outbox.length) return state.outbox[0];
  if (isStopped(state)) return null;
  const count = wanted(state);
  return state.mustAsk || (count && now >= state.askAt) ? { kind: "fetch", count: Math.max(count, 1) } : null;
}

/** Return the moment from which `due` has something, or null while that depends on an event. */
export function nextMoment(state) {
  if (state.sending || state.waitsForPerson) return null;
  if (state.outbox.length || state.mustAsk) return state.retryAt;
  return wanted(state) && !isStopped(state) ? Math.max(state.retryAt, state.askAt) : null;
}

/** Return [path below the campaign's address, body] of a request. */
export function message(state, entry, guideline) {
  const showing = state.current?.assignment ?? null;
  const isAskedAgain = state.isFresh && entry.kind === "fetch";
  const rest = { held: held(state, entry).filter((one) => !isAskedAgain || one !== showing), showing };
  const about = `assignments/${entry.card?.assignment}`;
  switch (entry.kind) {
    case "label": {
      const { key, answers, note, activeSeconds } = entry;
      const label = { key, guideline, answers, note, active_seconds: activeSeconds };
      label.wants_standing = state.since + 1 >= COUNTED_ANEW_EVERY;
      return [`${about}/label/`, { ...label, ...rest, count: wanted(state) }];
    }
    case "pass":
      return [`${about}/pass/`, { key: entry.key, ...rest, count: wanted(state) }];
    case "flag":
      return [`${about}/flag/`, { key: entry.key, kind: entry.flag.kind, words: entry.flag.words }];
    case "undo":
      return ["undo/", state.delivered.length ? { of: state.delivered.at(-1) } : {}];
    default:
      return ["next/", { ...rest, count: entry.count }];
  }
}

/** Note that a request left: from now on only the server can say whether it was stored. */
export const sent = (state, entry) => ({
  ...state,
  sending: { ...entry, asked: entry.count ?? wanted(state), isNamed: state.delivered.length > 0 },
  outbox: state.outbox.map((one) => (one.key === entry.key ? { ...one, tried: true } : one)),
  mustAsk: entry.kind === "fetch" ? false : state.mustAsk,
});

// --- What the server answers ------------------------------------------------------------------------------

/** Draw the consequences of an answer: {status (0: none came), body, retryAfterMs}. `chance` is in [0, 1). */
export function answered(state, answer, now, chance) {
  const entry = state.sending;
  const settled = { ...state, sending: null, news: null };
  const { status, body } = answer;
  if (status >= 200 && status < 300) return accepted(settled, entry, body, now);
  if (status === 401 || status === 403) return signedOut(settled);
  if (status === 422 && entry.kind === "label") return returned(settled, entry, body);
  if ([400, 404, 409, 410, 422].includes(status)) return refused(settled, entry, body);
  if (entry.kind === "undo" && !entry.isNamed) return undoLost(settled, entry);
  return later(settled, entry, answer, now, chance);
}

function accepted(state, entry, body, now) {
  let next = { ...without(state, entry), link: "up", tries: 0, retryAt: 0 };
  if (entry.kind === "label") {
    next = stored(next, body.label, { kind: "label", at: body.saved_at, receipt: body.receipt });
  }
  if (entry.kind === "pass") {
    next = stored(next, entry.card.assignment, { kind: "pass", at: body.passed_at, receipt: "" });
  }
  if (entry.kind === "flag") next = { ...next, news: { kind: "flagged", at: body.flagged_at } };
  if (entry.kind === "undo") {
    const delivered = next.delivered.slice(0, -1);
    next = bring({ ...next, delivered, lastStored: null, news: { kind: "undone" } }, body.card);
  }
  const since = body.standing ? 0 : next.since + 1;
  return takeIn({ ...next, since, standing: body.standing ?? counted(next.standing, entry) }, entry, body, now);
}

function takeIn(state, entry, body, now) {
  if (!body.cards) return state;
  const known = new Set(held(state));
  // When the day is over, what is on screen may be finished; what lies ahead was never seen.
  const more = body.cards.filter((card) => !known.has(card.assignment));
  const ahead = body.pause?.ends_the_day ? [] : [...state.ahead, ...more];
  const askAt = body.cards.length < entry.asked ? now + ASK_AGAIN_MS : 0;
  const again = body.cards.find((card) => card.assignment === state.current?.assignment);
  const news = again?.draft ? { kind: "draft", draft: again.draft } : state.news;
  const next = { ...state, ahead, askAt, news, isFresh: false };
  return next.current ? next : { ...next, current: ahead[0] ?? null, ahead: ahead.slice(1) };
}

// The answers cannot be recorded as they are: the sample is on screen again, with them and with what is wrong.
function returned(state, entry, body) {
  const card = { ...entry.card, errors: body.errors ?? {}, problem: body.detail };
  return bring({ ...withoutIts(state, entry), link: "up", news: { kind: "returned" } }, card);
}

// It will never be stored. A label or pass stops the loop; what else waits is still sent.
function refused(state, entry, body) {
  const rest = entry.kind === "label" || entry.kind === "pass" ? withoutIts(state, entry) : without(state, entry);
  const next = { ...rest, link: "up", tries: 0, retryAt: 0 };
  const detail = body?.detail ?? "The server refused it.";
  if (entry.kind === "undo") {
    const standing = { ...next.standing, undoable: 0 }; // the next answer says how many there are
    return { ...next, delivered: [], standing, mustAsk: true, news: { kind: "refused", detail } };
  }
  if (entry.kind === "flag") return { ...next, news: { kind: "refused", detail } };
  return { ...next, refusals: [...next.refusals, { number: entry.card?.number ?? null, detail }] };
}

// Without a name, a second request could undo a second label. If it was undone, asking brings the sample back.
const undoLost = (state, entry) => ({
  ...without(state, entry),
  mustAsk: true,
  news: { kind: "refused", detail: "The undo got no answer. If it was done, the sample comes next; else undo again." },
});

function later(state, entry, { status, retryAfterMs = 0 }, now, chance) {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** state.tries, LONGEST_RETRY_MS);
  const wait = Math.max(retryAfterMs, longest * (0.5 + chance / 2));
  return {
    ...state,
    link: status === 0 ? "down" : "busy",
    tries: state.tries + 1,
    retryAt: now + wait,
    mustAsk: state.mustAsk || entry.kind === "fetch",
  };
}

// --- What the page asks -----------------------------------------------------------------------------------

/** Return how many labels and passes the server has not stored yet. */
export const unsaved = (state) =>
  state.outbox.filter((entry) => entry.kind === "label" || entry.kind === "pass").length;

export const isStopped = (state) => state.refusals.length > 0;
export const canUndo = (state) => unsaved(state) > 0 || state.delivered.length > 0 || state.standing.undoable > 0;

/** Say whether nothing is left to label or to send, as far as the server has told. */
export const isDone = (state, now) =>
  !(state.current || state.outbox.length || state.sending || state.mustAsk || isStopped(state)) && now < state.askAt;

// --- Parts ------------------------------------------------------------------------------------------------

const wanted = (state) => AHEAD + (state.current ? 0 : 1) - Math.min(state.ahead.length, AHEAD);

const held = (state, except) =>
  [state.current, ...state.ahead, ...state.outbox.filter((one) => one.key !== except?.key).map((one) => one.card)]
    .filter(Boolean)
    .map((card) => card.assignment);

const without = (state, entry) => ({
  ...state,
  outbox: state.outbox.filter((one) => one.key !== entry.key),
});

// The undo that was meant for it goes with it: it would take back the one before.
function withoutIts(state, entry) {
  const at = state.outbox.findIndex((one) => one.key === entry.key);
  const after = state.outbox.findIndex((one, place) => place > at && STEPS.includes(one.kind));
  const undoing = state.outbox[after]?.kind === "undo" ? after : -1;
  return { ...state, outbox: state.outbox.filter((_, place) => place !== at && place !== undoing) };
}

const stored = (state, name, lastStored) => ({
  ...state,
  delivered: [...state.delivered, name].slice(-UNDOABLE),
  lastStored,
});

const counted = (standing, entry) =>
  entry.kind !== "label"
    ? standing
    : {
        ...standing,
        labelled: standing.labelled + 1,
        waiting: Math.max(standing.waiting - 1, 0),
        undoable: Math.min(standing.undoable + 1, UNDOABLE),
        seconds_today: standing.seconds_today + entry.activeSeconds,
      };

function bring(state, card) {
  const others = [state.current, ...state.ahead].filter((one) => one && one.assignment !== card.assignment);
  return { ...state, current: card, ahead: others };
}
