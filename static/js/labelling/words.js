// What the page says about time and about what is stored. annotation/labelling/presenter.py says the same of time.

const duration = (minutes) => {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (!hours) return `${rest} min`;
  return rest ? `${hours} h ${String(rest).padStart(2, "0")}` : `${hours} h`;
};

/** Return how long the rest takes, no more exact than it is known; null is not known yet. */
export function timeLeft(seconds) {
  if (seconds === null) return "too early to say";
  if (seconds < 300) return "a few minutes at your pace";
  const minutes = seconds / 60;
  const step = minutes < 57.5 ? 5 : minutes < 595 ? 10 : 60;
  return `about ${duration(Math.round(minutes / step) * step)} at your pace`;
}

/** Return active time to the minute; what is less than one is not nothing. */
export const worked = (seconds) =>
  seconds >= 1 && seconds < 60 ? "under a minute" : duration(Math.floor(seconds / 60));

export const stretch = (seconds) => `${seconds / 60} minutes of reading.`;

/** Return the time of a moment on this computer's clock: 14:02:03, or 14:02. */
export const clockTime = (moment, withSeconds = true) =>
  new Date(moment).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds && { second: "2-digit" }),
  });

export const samples = (count) => `${count} ${count === 1 ? "sample" : "samples"}`;

/** Return the line that is always in sight: what is stored and what waits. */
export function storage(link, unsaved, isSending, lastStored) {
  const waiting = unsaved ? `${unsaved} waiting` : "nothing waiting";
  if (link === "signed_out") return `Signed out, ${waiting}`;
  if (link === "down") return `Offline, ${waiting}`;
  if (link === "busy") return `Server not answering, ${waiting}`;
  if (unsaved > 1 || (unsaved && !isSending)) return `${unsaved} waiting`;
  if (unsaved) return "Saving";
  if (!lastStored) return "";
  return `${lastStored.kind === "pass" ? "Passed" : "Saved"} ${clockTime(lastStored.at)}`;
}
