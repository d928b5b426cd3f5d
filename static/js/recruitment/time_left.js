// Counts the minutes down from what the server said was left: a changed clock on this computer does not matter.
const line = document.querySelector("[data-seconds-left]");
const seconds = Number(line.dataset.secondsLeft);
const words = line.querySelector("[data-left]");

function show() {
  const left = Math.max(0, seconds - Math.floor(performance.now() / 1000));
  line.firstChild.textContent = left ? "Time left: " : "The time is over. ";
  words.textContent = left ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "What you saved counts.";
  line.lastChild.textContent = "";
}

show();
setInterval(show, 1000);
