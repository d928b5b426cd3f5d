// The form is saved as it is filled in; without a script the Save button does the same.
const PAUSE_MS = 1500;
const form = document.querySelector("[data-autosave]");
const said = form.querySelector("[data-saved]");
let timer = 0, isSaving = false, isStopped = false;

async function save() {
  if (isSaving || isStopped) return later();
  isSaving = true;
  const data = new FormData(form);
  data.delete("cv"); // a file goes with the button
  data.set("action", "autosave");
  try {
    const answer = await fetch(location.pathname, { method: "POST", body: data });
    if (answer.ok) {
      form.elements.draft_version.value = (await answer.json()).draft_version;
      said.textContent = `Saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
    } else if (answer.status === 409) {
      isStopped = true;
      said.textContent = "Changed in another tab. Press Save to see both.";
    } else said.textContent = "Not saved. Press Save to try again.";
  } catch {
    said.textContent = "No network. Your words are still here; they are saved when it is back.";
    later();
  }
  isSaving = false;
}

function later() {
  clearTimeout(timer);
  if (!isStopped) timer = setTimeout(save, PAUSE_MS);
}

form.addEventListener("input", (event) => event.target.type !== "file" && later());
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  isStopped = true;
  if (isSaving) { // the version on its way back would make this one look old
    event.preventDefault();
    const button = event.submitter;
    const wait = setInterval(() => {
      if (isSaving) return;
      clearInterval(wait);
      form.requestSubmit(button);
    }, 50);
  }
});

const zone = form.querySelector("[data-time-zone]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !zone.value && [...zone.options].some((option) => option.value === here)) zone.value = here;
