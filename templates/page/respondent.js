// Counts a text while it is typed, as koe will: composed, without blanks around
// it, by code points. Without it the page says the limit, and the length of a
// text that was refused.
for (const text of document.querySelectorAll("textarea[data-most]")) {
  const most = Number(text.dataset.most);
  const shown = document.createElement("span");
  shown.setAttribute("aria-hidden", "true"); // the limit is read out; every key would be too much
  shown.dir = "ltr";
  const hint = document.getElementById(text.id + ".hint");
  hint.querySelector("span")?.remove(); // true of what was posted, not of what is typed
  hint.append(" ", shown);
  const count = () => {
    const kept = text.value.normalize().replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
    const length = [...kept].length;
    const digits = new Intl.NumberFormat(document.documentElement.lang + "-u-nu-latn");
    shown.textContent = digits.format(length) + " / " + digits.format(most);
    shown.className = length > most ? "over" : "";
  };
  text.addEventListener("input", count);
  count();
}

// Leads a kiosk back to its start once it was left alone: what somebody is
// typing stays. Without it the page goes by its own time.
const kiosk = document.body.dataset;
if (kiosk.start) {
  let leaving;
  const leave = () => navigator.onLine ? location.replace(kiosk.start) : wait(kiosk.idle); // an error page would stay
  const wait = (seconds) => {
    clearTimeout(leaving);
    leaving = setTimeout(leave, seconds * 1000);
  };
  for (const touch of ["pointerdown", "pointermove", "touchstart", "keydown", "focusin", "input", "scroll"]) {
    addEventListener(touch, () => wait(kiosk.idle), { capture: true, passive: true });
  }
  wait(kiosk.wait);
}
