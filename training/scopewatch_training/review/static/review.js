// The pair page of a review: tiles drawn over both pictures, changed by mouse or keys.
"use strict";

const main = document.getElementById("review");
const pair = encodeURIComponent(main.dataset.pair);
const canvas = document.getElementById("tiles");
const light = document.getElementById("light");
const names = { 1: "positive", 0: "negative", "-1": "not counted" };
const numbers = { positive: 1, negative: 0, dropped: -1 };
let state = null;
let cursor = { row: 0, col: 0 };
let shown = true;
// Changes go one after the other: two quick clicks on a tile must not overtake each other.
let queue = Promise.resolve();

const key = (row, col) => `${row},${col}`;
const byItself = (row, col) => state.labels[row][col];
const correction = (row, col) => state.given.get(key(row, col));
const labelOf = (row, col) => {
  const given = correction(row, col);
  return given === undefined ? byItself(row, col) : numbers[given.label];
};

function problem(text) {
  const place = document.getElementById("problem");
  place.hidden = !text;
  place.textContent = text;
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The review is no longer served: start it again. The last change is not kept.");
  }
  const values = await answer.json();
  if (!answer.ok) throw new Error(values.error);
  return values;
}

function take(values) {
  state = values;
  state.rows = Math.floor(values.height / values.tile_px);
  state.cols = Math.floor(values.width / values.tile_px);
  state.given = new Map(values.corrected.map((tile) => [key(tile.row, tile.col), tile]));
  show();
}

function change(path, body) {
  queue = queue.then(() => ask(path, body)).then((values) => { take(values); problem(""); })
    .catch((error) => problem(error.message));
  return queue;
}

function show() {
  document.getElementById("decision").textContent = state.decision ? `: ${state.decision}` : "";
  document.getElementById("undo").disabled = !state.undoable;
  document.getElementById("undecide").disabled = !state.decision;
  document.getElementById("accept").disabled = state.decision === "accepted";
  document.getElementById("drop").disabled = state.decision === "dropped";
  main.dataset.decision = state.decision || "";
  main.dataset.corrected = state.corrected.length;
  const { row, col } = cursor;
  const percent = state.percent[row][col];
  const given = correction(row, col);
  const area = percent < 0 ? "its area is not known" : `${percent} % of its area (cut-off ${state.cutoff_percent} %)`;
  const by = given ? `${given.label}, corrected by ${given.author}; by itself ${names[byItself(row, col)]}` : names[byItself(row, col)];
  document.getElementById("tile").textContent = `Row ${row}, column ${col}: ${by}; ${area}. ${state.corrected.length} corrected in this pair.`;
  draw(canvas);
  draw(light);
}

function draw(target) {
  const box = target.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  target.width = Math.round(box.width * ratio);
  target.height = Math.round(box.height * ratio);
  const pen = target.getContext("2d");
  const side = { x: target.width * state.tile_px / state.width, y: target.height * state.tile_px / state.height };
  const place = (row, col, inset) => [
    col * side.x + inset, row * side.y + inset, side.x - 2 * inset, side.y - 2 * inset,
  ];
  if (shown) {
    for (let row = 0; row < state.rows; row += 1) {
      for (let col = 0; col < state.cols; col += 1) {
        const label = labelOf(row, col);
        pen.fillStyle = label === 1 ? "rgba(230,159,0,.28)" : "rgba(0,0,0,.35)";
        // Over the light there are lines only, so that dim cells stay visible.
        if (label !== 0 && target === canvas) pen.fillRect(...place(row, col, 0));
        pen.lineWidth = 1;
        pen.strokeStyle = label === 1 ? "rgba(255,190,60,.9)" : "rgba(255,255,255,.16)";
        pen.strokeRect(...place(row, col, .5));
        if (label === -1) {
          const [x, y, w, h] = place(row, col, side.x / 4);
          pen.strokeStyle = "rgba(255,255,255,.8)";
          pen.beginPath();
          pen.moveTo(x, y + h);
          pen.lineTo(x + w, y);
          pen.stroke();
        }
      }
    }
    for (const tile of state.corrected) {
      pen.lineWidth = 3 * ratio;
      pen.strokeStyle = "#56b4e9";
      pen.strokeRect(...place(tile.row, tile.col, 1.5 * ratio));
    }
  }
  pen.lineWidth = 2 * ratio;
  pen.strokeStyle = "#ffffff";
  pen.strokeRect(...place(cursor.row, cursor.col, 3 * ratio));
  pen.setLineDash([4 * ratio, 4 * ratio]);
  pen.strokeStyle = "#000000";
  pen.strokeRect(...place(cursor.row, cursor.col, 3 * ratio));
}

function move(down, across) {
  const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
  cursor = { row: within(cursor.row + down, state.rows), col: within(cursor.col + across, state.cols) };
  show();
}

const label = (name) => change(`${pair}/tiles`, { ...cursor, label: name });

// The other label, then dropped, then as it was; a tile that does not count becomes positive, then negative.
function turn() {
  const given = correction(cursor.row, cursor.col);
  const own = byItself(cursor.row, cursor.col);
  const steps = { 1: ["negative", "dropped"], 0: ["positive", "dropped"], "-1": ["positive", "negative"] }[own];
  return label(given === undefined ? steps[0] : given.label === steps[0] ? steps[1] : null);
}

const decide = (decision) => change(`${pair}/decision`, { decision });

function undo() {
  queue = queue.then(() => ask("../undo", {})).then(async (answer) => {
    if (answer.pair && answer.pair !== main.dataset.pair) {
      window.location.assign(encodeURIComponent(answer.pair));
    } else {
      take(await ask(`${pair}/tiles`));
      problem("");
    }
  }).catch((error) => problem(error.message));
}

function toggle() {
  shown = !shown;
  document.getElementById("overlay").setAttribute("aria-pressed", String(shown));
  show();
}

const follow = (id) => document.getElementById(id)?.click();

const KEYS = {
  ArrowUp: () => move(-1, 0), ArrowDown: () => move(1, 0),
  ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1),
  " ": turn, p: () => label("positive"), n: () => label("negative"), d: () => label("dropped"), c: () => label(null),
  a: () => decide("accepted"), x: () => decide("dropped"), r: () => decide(null), u: undo, o: toggle,
  k: () => follow("before"), j: () => follow("after"), l: () => follow("list"),
};

document.addEventListener("keydown", (event) => {
  if (!state || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  // A button that has the focus keeps its own key.
  if (event.key === " " && event.target.closest("button, a")) return;
  event.preventDefault();
  KEYS[event.key]();
});

for (const target of [canvas, light]) {
  target.addEventListener("click", (event) => {
    if (!state) return;
    const box = target.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / box.height * state.height / state.tile_px);
    const col = Math.floor((event.clientX - box.left) / box.width * state.width / state.tile_px);
    if (row >= state.rows || col >= state.cols) return;
    cursor = { row, col };
    canvas.focus({ preventScroll: true });
    turn();
  });
}

const buttons = {
  accept: () => decide("accepted"), drop: () => decide("dropped"), undecide: () => decide(null), undo, overlay: toggle,
};
for (const [id, act] of Object.entries(buttons)) document.getElementById(id).addEventListener("click", act);
window.addEventListener("resize", () => state && show());

ask(`${pair}/tiles`).then((values) => {
  take(values);
  canvas.focus({ preventScroll: true });
}).catch((error) => problem(error.message));
