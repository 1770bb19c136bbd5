// Countdowns and rings. Decided here: what ticks, and what is said aloud. Without this file every time
// stands on the page in words. The server's clock counts, not the browser's.
(() => {
  "use strict";

  const root = document.documentElement;
  const ahead = Date.parse(root.dataset.now) - Date.now();
  const left = (until) => Math.max(0, Math.ceil((Date.parse(until) - Date.now() - ahead) / 1000));
  const two = (number) => String(number).padStart(2, "0");

  function format(seconds) {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return (hours ? `${hours}:${two(minutes)}` : String(minutes)) + `:${two(seconds % 60)}`;
  }

  // A screen reader hears these moments only, not every second.
  const SPOKEN = new Map([
    [600, "Ten minutes left."],
    [300, "Five minutes left."],
    [60, "One minute left."],
  ]);
  const voice = document.getElementById("voice");
  function say(words) {
    if (voice) {
      voice.textContent = words;
    }
  }

  function tickClock(clock) {
    const seconds = left(clock.dataset.until);
    clock.textContent = clock.dataset.words ? `${clock.dataset.before ?? ""}${seconds} s` : format(seconds);
    clock.classList.toggle("clock--late", seconds <= 300 && seconds > 0 && clock.classList.contains("clock"));
    clock.classList.toggle("clock--over", seconds === 0 && clock.classList.contains("clock"));
    if (clock.classList.contains("clock") && SPOKEN.has(seconds)) {
      say(SPOKEN.get(seconds));
    }
    if (seconds > 0 || clock.dataset.over) {
      return;
    }
    clock.dataset.over = "yes";
    if (clock.dataset.after) {
      clock.textContent = clock.dataset.after;
      say(clock.dataset.after);
    }
    // Only where the page came by GET: a page with a secret is never asked for again by itself.
    if (clock.dataset.next && !document.querySelector("[data-secret]")) {
      window.setTimeout(() => window.location.replace(clock.dataset.next), 1200);
    }
  }

  function tickRing(ring) {
    const wait = left(ring.dataset.from || root.dataset.now);
    const begun = wait === 0;
    const seconds = left(ring.dataset.until);
    // what is good counts down to its end; what comes next counts down to its beginning, and its ring is empty
    const shown = begun ? Math.min(seconds, 30) : 0;
    ring.querySelector(".ring__left").setAttribute("stroke-dashoffset", String(30 - shown));
    ring.querySelector(".ring__number").textContent = String(begun ? seconds : wait);
    ring.classList.toggle("ring--late", begun && seconds <= 5);
    ring.classList.toggle("ring--waits", !begun);
    const code = ring.closest(".code");
    if (code) {
      code.classList.toggle("gone", seconds === 0);
      const words = code.querySelector("[data-state]");
      if (words) {
        words.textContent = seconds === 0 ? "Over, was good" : begun ? "Good now," : `Next, in ${wait} s,`;
      }
    }
  }

  function tick() {
    document.querySelectorAll("[data-until]:not(.ring)").forEach(tickClock);
    document.querySelectorAll(".ring[data-until]").forEach(tickRing);
  }

  if (document.querySelector("[data-until]")) {
    tick();
    window.setInterval(tick, 1000);
  }
})();
