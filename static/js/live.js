// A page follows its campaign: by a stream of events where one can be reached, else by asking again on a timer.
(() => {
  const TIMER_MS = 5000, FIGURES_MS = 10000, TRY_AGAIN_MS = 30000;
  const REST_FACTOR = 10; // times what an answer took: a large campaign is asked less often
  const connection = document.querySelector("[data-connection]");
  if (!connection) return;
  let stream = null, isFollowing = false, isStale = false, isAsking = false;
  let askedAt = 0, askNotBefore = Date.now() + TIMER_MS, tryNotBefore = 0;

  const figures = () => document.querySelector("[data-live]");
  const asksForFigures = (event) => event.detail.target.hasAttribute("data-live");

  function say(state) {
    connection.hidden = false;
    for (const words of connection.querySelectorAll("[data-when]")) words.hidden = words.dataset.when !== state;
  }

  // Wide tables stay where the reader has scrolled them to, and what the reader has opened stays open.
  const places = () => [...document.querySelectorAll(".table-scroll[id], details[id]")].map((each) => [each.id, each.scrollLeft, each.open]);
  function backTo(before) {
    for (const [id, left, isOpen] of before) {
      const each = document.getElementById(id);
      if (!each) continue;
      if (isOpen !== undefined) each.open = isOpen;
      each.scrollLeft = left;
    }
  }

  function show(html) {
    const before = places(), focused = document.activeElement.id;
    for (const part of [...new DOMParser().parseFromString(html, "text/html").body.children]) {
      document.getElementById(part.id)?.replaceWith(part);
    }
    backTo(before);
    if (focused && document.activeElement.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  function follow() {
    stream = new EventSource(connection.dataset.stream, { withCredentials: true });
    stream.addEventListener("open", () => {
      isFollowing = true;
      say("live");
    });
    stream.addEventListener("pulse", (event) => {
      show(event.data);
      isStale = !connection.hasAttribute("data-sends-all");
    });
    stream.addEventListener("error", () => {
      if (isFollowing || connection.hidden) say("timer");
      isFollowing = false;
      askNotBefore = 0;
      if (stream.readyState === EventSource.CLOSED) letGo(TRY_AGAIN_MS); // refused; otherwise the browser tries again
    });
  }

  function letGo(pauseMs) {
    stream?.close();
    stream = null;
    isFollowing = false;
    tryNotBefore = Date.now() + pauseMs;
  }

  function beat() {
    if (document.hidden) return;
    if (!stream && connection.dataset.stream && Date.now() >= tryNotBefore) follow();
    if (!isAsking && Date.now() >= askNotBefore && (isStale || !isFollowing)) htmx.trigger(figures(), "refresh");
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!asksForFigures(event)) return;
    [isAsking, isStale, askedAt] = [true, false, Date.now()];
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!asksForFigures(event)) return;
    const now = Date.now();
    isAsking = false;
    askNotBefore = now + Math.max(isFollowing ? FIGURES_MS : TIMER_MS, REST_FACTOR * (now - askedAt));
    if (!isFollowing) say(event.detail.successful ? "timer" : "lost");
    if ([401, 403, 404].includes(event.detail.xhr.status)) location.reload(); // no longer the person's to see
  });
  let before = [];
  document.addEventListener("htmx:beforeSwap", () => { before = places(); });
  document.addEventListener("htmx:afterSwap", () => backTo(before));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return letGo(0);
    [isStale, askNotBefore] = [true, 0];
    beat();
  });

  if (!connection.dataset.stream) say("timer");
  setInterval(beat, 1000);
  beat();
})();
