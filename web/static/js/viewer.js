// The viewer: a result at full size over the page, with the figures behind its match. It has an address of its own, so
// that Back closes it; arrow keys and swipes go to its neighbours, wherever the focus is.

import { onUnplayable, prepareWave, startAt } from "./player.js";

const BEGINNING = "#view=";
const SWIPE_PX = 40;
const CONTROLS_PX = 72; // height of the controls of a player

let dialog = null;
let tiles = [];
let at = 0;
let byTab = false; // whether the focus was last moved by Tab

export function prepareViewer() {
  document.addEventListener("click", (event) => {
    const frame = event.target.closest(".tile .frame");
    if (!frame || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    list(frame.closest(".tile"));
    history.pushState({ ...history.state, overResults: true }, "", addressOf(tiles[at]));
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab") byTab = true;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !dialog?.open || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (byTab && event.target.matches("audio, video")) return; // its keys move in time
    event.preventDefault();
    go(step);
  });
  document.addEventListener("pointerdown", () => (byTab = false));
  window.addEventListener("popstate", followAddress);
  followAddress();
  if (named() && !dialog?.open) location.replace(`/item/${encodeURIComponent(named())}`); // no longer among the results
}

/** Open or close as the address says; after the page has other results, too. */
export function followAddress() {
  const id = named();
  if (!id) return dialog?.close();
  if (dialog?.open && tiles[at]?.isConnected && tiles[at].dataset.id === id) return;
  const tile = document.querySelector(`.tile[data-id="${CSS.escape(id)}"]`);
  if (!tile) return hideViewer();
  tile.closest("details")?.setAttribute("open", "");
  list(tile);
  open();
}

/** Close without a step in the history, because another question is asked. */
export function hideViewer() {
  if (!dialog?.open) return;
  dialog.dataset.hiding = "";
  dialog.close();
}

function list(tile) {
  tiles = [...document.querySelectorAll(".tile")].filter((one) => !one.closest("details:not([open])"));
  at = tiles.indexOf(tile);
}

/** Id of what the address wants shown; empty for the results alone. */
function named() {
  return location.hash.startsWith(BEGINNING) ? decodeURIComponent(location.hash.slice(BEGINNING.length)) : "";
}

function addressOf(tile) {
  return `${location.pathname}${location.search}${BEGINNING}${encodeURIComponent(tile.dataset.id)}`;
}

function open() {
  dialog ??= makeDialog();
  show();
  if (!dialog.open) dialog.showModal();
  dialog.focus({ preventScroll: true });
}

function makeDialog() {
  const made = make("dialog", { className: "viewer", tabIndex: -1 });
  made.setAttribute("aria-label", "Viewer");
  document.body.append(made);
  made.addEventListener("close", () => {
    made.replaceChildren(); // stops whatever plays
    tiles[at]?.querySelector(".frame").focus();
    const hiding = "hiding" in made.dataset;
    delete made.dataset.hiding;
    if (hiding || !named()) return;
    if (history.state?.overResults) history.back();
    else history.replaceState(history.state, "", location.pathname + location.search);
  });
  made.addEventListener("click", (event) => {
    if (event.target === made) made.close();
  });
  takeSwipes(made);
  return made;
}

/** A finger that moves sideways over the picture goes on or back; over the controls of a video it moves in time. */
function takeSwipes(over) {
  let from = null;
  over.addEventListener("pointerdown", (event) => {
    const stage = event.target.closest(".show");
    const player = event.target.closest("video, audio");
    const onControls = player && event.clientY > player.getBoundingClientRect().bottom - CONTROLS_PX;
    from = stage && !onControls && event.isPrimary && event.pointerType !== "mouse" ? event : null;
  });
  over.addEventListener("pointerup", (event) => {
    const [x, y] = from ? [event.clientX - from.clientX, event.clientY - from.clientY] : [0, 0];
    from = null;
    if (Math.abs(x) > SWIPE_PX && Math.abs(x) > 1.5 * Math.abs(y)) go(x < 0 ? 1 : -1);
  });
  over.addEventListener("pointercancel", () => (from = null));
}

function go(step) {
  const next = at + step;
  if (next < 0 || next >= tiles.length) return;
  at = next;
  history.replaceState(history.state, "", addressOf(tiles[at]));
  show();
}

function show() {
  const tile = tiles[at];
  const close = make("button", { className: "close", type: "button", onclick: () => dialog.close() });
  close.setAttribute("aria-label", "Close");
  close.append(cross());
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
  dialog.replaceChildren(stage(tile), side(tile), close);
  if (dialog.open) (focused ? dialog.querySelector(`[data-keep=${focused}]`) : dialog).focus({ preventScroll: true });
}

function stage(tile) {
  const box = make("div", { className: "show" });
  const small = tile.querySelector(".frame img");
  const preview = small?.dataset.later ?? small?.src;
  const { kind, src, mime, name, moment } = tile.dataset;
  const sorry = () => {
    const link = make("a", { href: `${src}?download=1`, textContent: "Download it" });
    const text = make("p", { className: "message" });
    text.append(`This browser cannot play ${mime || "this format"}. `, link, ".");
    box.replaceChildren(...(preview ? [make("img", { src: preview, alt: name })] : []), text);
  };
  if (kind === "image") {
    const picture = make("img", { src, alt: name });
    picture.addEventListener("error", () => preview && picture.src !== preview && (picture.src = preview));
    box.append(picture);
  } else if (kind === "video") {
    const video = make("video", { controls: true, autoplay: true, playsInline: true, poster: preview ?? "", src });
    startAt(video, Number(moment ?? 0));
    onUnplayable(video, sorry);
    box.append(video);
  } else {
    const wave = make("div", { className: "wave" });
    const audio = make("audio", { controls: true, autoplay: true, src });
    startAt(audio, Number(moment ?? 0));
    onUnplayable(audio, sorry);
    wave.append(...(preview ? [make("img", { src: preview, alt: "Waveform" })] : []), audio);
    prepareWave(wave);
    box.append(wave);
  }
  return box;
}

function side(tile) {
  const { name, band, likely, rare, parts, through, reasons, space, model, score, at: when, path } = tile.dataset;
  const facts = make("dl", { className: "facts" });
  const fact = (label, text) => text && facts.append(make("dt", { textContent: label }), make("dd", { textContent: text }));
  fact("Similarity", band);
  fact("Likeness", likely);
  fact("Found by", reasons);
  fact("Subject, style", parts);
  fact("Reached through", through);
  fact("More alike than", rare && `${rare} of random pairs here`);
  fact("Compared in", space && `${space}, by ${model}`);
  fact("Cosine", score);
  fact("Moment", when);
  fact("Path", path);
  const buttons = make("div", { className: "buttons" });
  for (const link of tile.querySelectorAll(".acts a")) {
    const copy = make("a", { href: link.href, className: "button", textContent: link.textContent.trim() || link.title });
    copy.dataset.ask = "";
    if (!buttons.firstChild) copy.classList.add("primary", "wide");
    buttons.append(copy);
  }
  buttons.append(make("a", { href: tile.querySelector(".frame").href, className: "button", textContent: "All details" }));
  buttons.append(make("a", { href: `${tile.dataset.src}?download=1`, className: "button", textContent: "Download" }));
  const steps = make("div", { className: "buttons" });
  for (const [step, text] of [[-1, "Previous"], [1, "Next"]]) {
    const button = make("button", { className: "button", type: "button", textContent: text, onclick: () => go(step) });
    button.dataset.keep = text; // keeps the focus
    const none = at + step < 0 || at + step >= tiles.length;
    button.setAttribute("aria-disabled", none); // "disabled" would take the focus, and the keys with it
    steps.append(button);
  }
  const box = make("div", { className: "side" });
  box.append(make("h2", { textContent: name }), facts, buttons, steps);
  return box;
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function cross() {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("class", "icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "m6 6 12 12M18 6 6 18");
  picture.append(path);
  return picture;
}
