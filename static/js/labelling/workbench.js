// The labelling page: wires the loop (queue.js) to the page, the keyboard and the server.

import { Anchors } from "./anchors.js";
import { freshToken, makeApi } from "./api.js";
import { Clock } from "./clock.js";
import { Dialogs } from "./dialogs.js";
import { Drafts } from "./drafts.js";
import { Frame } from "./frame.js";
import { Keys } from "./keys.js";
import * as queue from "./queue.js";
import { Questions } from "./questions.js";
import { Reading } from "./reading.js";

const SETTLE_MS = 250; // a second press of Enter or S so soon after the first is a slip
const MINUTE_MS = 60_000;
const AWAY_IS_A_BREAK_MS = 5 * MINUTE_MS;
const UNATTENDED_MS = 5 * MINUTE_MS;
const ASK_WHETHER_BACK_MS = 5_000;
const AFTER_PAINT_MS = 100;
const PAGE_SHARE = 0.85;
const NOTHING = { answers: {}, note: "" };
const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, SETTLE_MS));

const root = document.getElementById("workbench");
const form = root.querySelector("[data-label-form]");
const note = form.elements.note;
const region = root.querySelector("[data-reading]");
const data = root.dataset;
const send = makeApi(data.api, data.csrfCookie, data.person);

const frame = new Frame(root);
const reading = new Reading(root);
const clock = new Clock();
const questions = new Questions(root.querySelector("[data-questions]"), (question) => anchors.of(question));
const anchors = new Anchors(root.querySelector("[data-questions]"), questions);
const drafts = new Drafts({
  current: () => state.current && { assignment: state.current.assignment, ...inForm() },
  send: ({ assignment, ...draft }, options) => send("PUT", `assignments/${assignment}/draft/`, draft, options),
  onKept: () => frame.draftKept(),
});
const keys = new Keys(commands(), (key) => questions.answer(key));
const dialogs = new Dialogs(root, keys, (given) => {
  state = queue.flag(state, { key: crypto.randomUUID(), card: flagging, flag: given });
  go();
});

let state = queue.begin(cardOnPage(), standingOnPage());
let shown = state.current; // the card that the page shows
let shownAt = performance.now();
let isUntouched = true; // nothing was answered yet on this sample
let flagging = null; // the card that the flag dialog is about
let timer = null;
let isLeaving = false;
let breakFrom = data.sittingStartedAt ? Math.min(Date.parse(data.sittingStartedAt), Date.now()) : Date.now();
let hiddenSince = Date.now();

// --- What is on the page ----------------------------------------------------------------------------------

function cardOnPage() {
  return {
    assignment: data.assignment,
    number: Number(data.number),
    present: data.present.split(" ").filter(Boolean),
    is_severe: Boolean(data.isSevere),
    turns: data.isCovered ? null : reading.turnsOnPage(),
  };
}

function standingOnPage() {
  return {
    labelled: Number(data.countLabelled),
    waiting: Number(data.countWaiting),
    undoable: Number(data.undoable),
    seconds_today: Number(data.secondsToday),
    seconds_per_label: data.secondsPerLabel ? Number(data.secondsPerLabel) : null,
    break_after_seconds: Number(data.breakAfterSeconds),
  };
}

const inForm = () => ({ answers: questions.answers(), note: note.value });
const isCovered = () => Boolean(state.current) && !state.current.turns;

/** Put the card of the state on screen if another one is there. */
function show() {
  const card = state.current;
  if (card === shown) return;
  const isOther = card?.assignment !== shown?.assignment;
  shown = card;
  if (!card || !isOther) return;
  const { answers, note: words, activeSeconds } = card.entered ?? card.draft ?? NOTHING;
  reading.show(card);
  questions.begin(card.present, answers);
  note.value = words;
  frame.name(card, form);
  frame.clearDraft();
  sayProblem(card);
  drafts.begin(!card.entered || !(words || Object.keys(answers).length));
  clock.restart(activeSeconds);
  shownAt = performance.now();
  isUntouched = true;
  // From here on the browser lays out: everything that changes the page stands above.
  reading.toTop();
  root.querySelector("[data-questions]").scrollTop = 0;
  if (Object.keys(card.errors ?? {}).length) return; // the first of them has the focus
  frame.focusHeading();
  if (root.getBoundingClientRect().top < 0) root.scrollIntoView();
}

function sayProblem({ problem = "", errors = {} }) {
  const notice = root.querySelector("[data-problem]");
  notice.querySelector("[data-problem-words]").textContent = problem;
  notice.hidden = !problem;
  if (problem) questions.showErrors(errors);
}

// --- The loop ---------------------------------------------------------------------------------------------

/** Show what the state says, and send what is due. */
function go() {
  frame.showCard(Boolean(state.current), form, state.link);
  frame.render(state, clock.seconds);
  reading.isHidden = state.link === "signed_out";
  form.inert = queue.isStopped(state);
  show();
  whenIdle(() => {
    for (const card of state.ahead) reading.prepare(card);
    reading.keepOnly([state.current, ...state.ahead, ...state.outbox.map(({ card }) => card)].filter(Boolean));
  });
  afterPaint(pump);
}

// A page out of view paints nothing: then the timer does it.
function afterPaint(work) {
  const timeout = setTimeout(work, AFTER_PAINT_MS);
  requestAnimationFrame(() => {
    clearTimeout(timeout);
    setTimeout(work);
  });
}

async function pump() {
  clearTimeout(timer);
  if (isLeaving && !state.sending && !state.outbox.length) return leaveNow();
  const now = performance.now();
  const request = queue.due(state, now);
  if (!request) {
    const next = queue.nextMoment(state);
    if (next !== null) timer = setTimeout(pump, Math.max(next - now, 50));
    if (queue.isDone(state, now)) location.reload(); // the server's page says why nothing comes
    return;
  }
  // An unattended page asks for nothing: it would keep the person signed in and the sitting open.
  if (request.kind === "fetch" && !state.mustAsk && clock.idleMs > UNATTENDED_MS) {
    timer = setTimeout(pump, ASK_WHETHER_BACK_MS);
    return;
  }
  const [path, body] = queue.message(state, request, data.guideline);
  state = queue.sent(state, request);
  frame.render(state, clock.seconds);
  const answer = await send("POST", path, body);
  keepEntered();
  if (request.kind === "undo" || answer.status === 422) void drafts.flush(); // another sample comes on screen
  state = queue.answered(state, answer, performance.now(), Math.random());
  tellNews(state.news);
  go();
  if (request.kind === "label" && answer.status === 409) void rescue(request);
}

// What cannot be stored as a label is kept for the person where the server still takes a draft of it.
async function rescue({ card, answers, note: words }) {
  const isKept = await drafts.keep({ assignment: card.assignment, answers, note: words });
  if (isKept) frame.tell(`Your answers to sample ${card.number} are kept as a draft.`);
}

// The page was reloaded while its last draft was still on its way.
function showDraft({ answers, note: words }) {
  questions.begin(state.current.present, answers);
  note.value = words;
  drafts.begin();
}

function keepEntered() {
  if (state.current && state.current === shown) {
    state = queue.keep(state, { ...inForm(), activeSeconds: clock.seconds });
    shown = state.current;
  }
}

function tellNews(news) {
  if (news?.kind === "draft" && isUntouched) showDraft(news.draft);
  if (news?.kind === "refused") frame.tell(news.detail);
  if (news?.kind === "flagged") frame.tell("Flagged. The lead will look at it.");
  if (news?.kind === "undone") frame.say("Taken back. Change it and save again.");
}

// --- What the person does ---------------------------------------------------------------------------------

function goOn(kind) {
  if (!state.current || queue.isStopped(state) || isLeaving) return;
  keepEntered();
  const { answers, note: words, activeSeconds } = state.current.entered;
  frame.tell("");
  state = queue.submit(state, { kind, key: crypto.randomUUID(), answers, note: words.trim(), activeSeconds });
  promptBreak();
  go();
}

function save() {
  if (isCovered()) return frame.tell("The text is still covered. Open it, or pass the sample.");
  const missing = questions.markMissing();
  if (!missing) return goOn("label");
  frame.say(missing === 1 ? "One answer is missing." : `${missing} answers are missing.`);
}

const isSlip = () => isUntouched && performance.now() - shownAt < SETTLE_MS;

function openFlag() {
  flagging = state.current;
  if (flagging) dialogs.open("flag");
}

function undo() {
  if (!queue.canUndo(state) || queue.isStopped(state)) return;
  keepEntered();
  void drafts.flush();
  frame.tell("");
  state = queue.undo(state, crypto.randomUUID());
  go();
}

async function openText() {
  const card = state.current;
  if (!card || card.turns) return;
  const { status, body } = await send("POST", `assignments/${card.assignment}/open/`, {});
  if (status === 401) {
    state = queue.signedOut(state);
    return go();
  }
  if (status !== 200) return frame.tell(body?.detail ?? "The text could not be fetched. Try again in a moment.");
  if (state.current?.assignment !== card.assignment) return;
  state = { ...state, current: { ...state.current, turns: body.turns } };
  shown = state.current;
  reading.uncover(state.current);
  frame.tell("");
  frame.focusHeading();
}

async function leave() {
  await drafts.flush();
  isLeaving = true;
  go();
  if (queue.unsaved(state)) frame.tell("Leaving as soon as everything is saved.");
}

function leaveNow() {
  const leaving = document.getElementById("leave-form");
  leaving.elements.csrfmiddlewaretoken.value = freshToken(data.csrfCookie);
  leaving.submit();
}

// Between two samples, never within one.
function promptBreak() {
  const after = state.standing.break_after_seconds;
  frame.showBreak(Date.now() - breakFrom > after * 1000, after);
}

function startAfresh() {
  breakFrom = Date.now();
  frame.showBreak(false);
}

function scrollText(share) {
  if (region.scrollHeight <= region.clientHeight) return false;
  region.scrollBy({ top: share * region.clientHeight });
  return true;
}

function commands() {
  return {
    save: () => isSlip() || save(),
    undo: () => undo(),
    pass: () => isSlip() || goOn("pass"),
    flag: () => openFlag(),
    note: () => note.focus(),
    leaveField: () => frame.focusHeading(),
    guideline: () => void dialogs.openGuideline(helpOfActive()),
    open: () => (isCovered() ? void openText() : false),
    rubric: () => anchors.toggleAll(),
    help: () => dialogs.open("help"),
    next: () => questions.move(1),
    previous: () => questions.move(-1),
    lookOn: () => anchors.step(1),
    lookBack: () => anchors.step(-1),
    scrollDown: () => scrollText(PAGE_SHARE),
    scrollUp: () => scrollText(-PAGE_SHARE),
  };
}

const helpOfActive = () => questions.active?.rubric.querySelector("[data-help]").textContent;

const buttons = {
  ...commands(),
  save: () => save(),
  pass: () => goOn("pass"),
  leave: () => void leave(),
  retry: () => tryAgain(),
  reload: () => location.reload(),
  "go-on": () => startAfresh(),
  dismiss: () => frame.tell(""),
  close: () => dialogs.close(),
};

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return; // a link may open where one likes
  event.preventDefault();
  buttons[button.dataset.do]();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
form.addEventListener("change", ({ target }) => {
  const question = questions.of(target);
  isUntouched = false;
  if (question) {
    questions.changed(question);
    anchors.rest();
  }
  drafts.touch();
});
form.addEventListener("input", ({ target }) => target === note && drafts.touch());

// --- Coming and going -------------------------------------------------------------------------------------

function tryAgain() {
  state = queue.wake(state);
  pump();
}

function comeBack() {
  if (state.link !== "up") tryAgain();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenSince = Date.now();
    void drafts.flush({ keepalive: true });
    return;
  }
  if (Date.now() - hiddenSince > AWAY_IS_A_BREAK_MS) startAfresh();
  comeBack();
});
window.addEventListener("focus", comeBack);
window.addEventListener("online", tryAgain);
window.addEventListener("beforeunload", (event) => {
  void drafts.flush({ keepalive: true });
  const hasNote = drafts.isDirty && note.value.trim() && !isLeaving;
  if (state.outbox.length || hasNote) event.preventDefault();
});
window.addEventListener("pagehide", () => {
  void drafts.flush({ keepalive: true });
  clearTimeout(timer);
  clearInterval(everyMinute);
  state = queue.begin(null, state.standing);
  reading.keepOnly([]);
  root.replaceChildren(); // no text stays behind, also where the browser keeps the page for "back"
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

reading.adopt(state.current);
questions.start();
drafts.begin();
const everyMinute = setInterval(() => frame.render(state, clock.seconds), MINUTE_MS);
go();
