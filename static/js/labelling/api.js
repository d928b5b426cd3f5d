// One request to the server, answered as {status, body, retryAfterMs}; status 0 means that no answer came.

const PATIENCE_MS = 20_000;

const cookie = (name) => {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
};

/** Return the token of now: signing in again in another tab changes it. */
export const freshToken = (cookieName) => cookie(cookieName);

/** Return a function that sends to addresses below `base`, for the person whose page this is. */
export const makeApi = (base, cookieName, person) =>
  async function send(method, path, body, { keepalive = false } = {}) {
    try {
      const response = await fetch(base + path, {
        method,
        keepalive,
        body: body && JSON.stringify(body),
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          "X-CSRFToken": freshToken(cookieName),
          "X-Person": person, // another may have signed in since
        },
        credentials: "same-origin",
        cache: "no-store",
        redirect: "manual",
        signal: keepalive ? null : AbortSignal.timeout(PATIENCE_MS), // what outlives the page has no timer
      });
      if (response.type === "opaqueredirect") return { status: 401, body: null }; // to the login page
      const retryAfterMs = 1000 * (Number(response.headers.get("Retry-After")) || 0);
      return { status: response.status, body: await json(response), retryAfterMs };
    } catch {
      return { status: 0, body: null };
    }
  };

async function json(response) {
  if (response.status === 204) return {};
  const text = await response.text(); // a cut connection fails here and counts as no answer
  try {
    return JSON.parse(text);
  } catch {
    if (response.ok) throw new TypeError("The answer is no JSON.");
    return null; // the server's own error page
  }
}
