// The viewer: a result at full size over the page, with the figures behind its match; arrow keys go to its neighbours.

import { onUnplayable, prepareWave, startAt } from "./player.js";

let dialog = null;
let tiles = [];
let at = 0;

export function prepareViewer() {
  document.addEventListener("click", (event) => {
    const frame = event.target.closest(".tile .frame");
    if (!frame || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    tiles = [...document.querySelectorAll(".tile")].filter((tile) => !tile.closest("details:not([open])"));
    at = tiles.indexOf(frame.closest(".tile"));
    open();
  });
}

function open() {
  dialog ??= makeDialog();
  show();
  if (!dialog.open) dialog.showModal();
}

function makeDialog() {
  const made = make("dialog", { className: "viewer" });
  made.setAttribute("aria-label", "Viewer");
  document.body.append(made);
  made.addEventListener("close", () => {
    made.replaceChildren(); // stops whatever plays
    tiles[at]?.querySelector(".frame").focus();
  });
  made.addEventListener("click", (event) => {
    if (event.target === made) made.close();
  });
  made.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && !event.target.closest("audio, video")) go(step);
  });
  return made;
}

function go(step) {
  const next = at + step;
  if (next < 0 || next >= tiles.length) return;
  at = next;
  show();
}

function show() {
  const tile = tiles[at];
  const close = make("button", { className: "close", type: "button", onclick: () => dialog.close() });
  close.setAttribute("aria-label", "Close");
  close.append(cross());
  dialog.replaceChildren(stage(tile), side(tile), close);
}

function stage(tile) {
  const box = make("div", { className: "show" });
  const preview = tile.querySelector(".frame img")?.src;
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
    onUnplayable(audio, sorry);
    wave.append(...(preview ? [make("img", { src: preview, alt: "Waveform" })] : []), audio);
    prepareWave(wave);
    box.append(wave);
  }
  return box;
}

function side(tile) {
  const { name, band, likely, rare, parts, through, reasons, space, model, score, moment, path } = tile.dataset;
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
  fact("Moment", moment && `${Number(moment).toFixed(1)} s`);
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
    button.disabled = at + step < 0 || at + step >= tiles.length;
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
