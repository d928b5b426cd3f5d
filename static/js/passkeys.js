"use strict";
// allauth's scripts tell only the console when a passkey fails; the person should read it as well.
document.addEventListener("allauth.error", () => {
  const problem = document.getElementById("passkey-problem");
  if (problem) problem.hidden = false;
});
