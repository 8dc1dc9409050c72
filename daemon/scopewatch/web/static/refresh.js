// Refreshes the page and keeps scroll position, focus and opened details. Shows a warning when
// scopewatch no longer answers, so that nobody takes an old page for the present state.
"use strict";

const EVERY_MS = 15000;
const live = document.getElementById("live");
const lost = document.getElementById("lost");
let answeredAt = new Date();

function parts(root) {
  return [...root.querySelectorAll("[data-part]")];
}

function swap(page) {
  const next = page.getElementById("live");
  const olds = parts(live);
  const news = parts(next);
  const same = olds.length === news.length &&
    olds.every((old, index) => old.dataset.part === news[index].dataset.part);
  const focused = document.activeElement?.getAttribute?.("href");
  const open = olds.map((old) => [...old.querySelectorAll("details")].map((each) => each.open));
  const left = olds.map((old) => old.querySelector(".strip")?.scrollLeft ?? 0);
  if (!same) {
    live.replaceChildren(...next.childNodes);
  } else {
    olds.forEach((old, index) => {
      news[index].querySelectorAll("details").forEach((details, place) => {
        details.open = open[index][place] ?? details.open;
      });
      if (old.innerHTML === news[index].innerHTML) return;
      old.replaceWith(news[index]);
      const strip = news[index].querySelector(".strip");
      if (strip) strip.scrollLeft = left[index];
    });
  }
  if (focused && document.activeElement === document.body) {
    live.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  document.title = page.title;
}

async function refresh() {
  const busy = document.activeElement?.closest?.("form");
  if (document.hidden || busy) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.status === 401) {
      location.reload(); // the session has run out: the page itself asks for the token
      return;
    }
    if (!answer.ok) throw new Error(`answer ${answer.status}`);
    swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    answeredAt = new Date();
    lost.hidden = true;
  } catch (error) {
    const since = answeredAt.toLocaleTimeString();
    const text = lost.dataset.text.replace("{time}", since).replace("{why}", error.message);
    lost.textContent = `✖ ${text}`;
    lost.hidden = false;
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
window.addEventListener("online", refresh);
