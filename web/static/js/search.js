// The search page without reloads: the same addresses and the same HTML, of which only what changed is put in place.

import { onFile } from "./dropping.js";
import { oneStopEach } from "./grids.js";
import { rememberResults } from "./neighbours.js";
import { preparePlayers } from "./player.js";
import { followAddress, hideViewer } from "./viewer.js";

const LIVE = ["#drop", ".results"];
const previews = new Map(); // name of an upload -> object URL of the dropped file, for as long as this page is open
let pending = null;
let typing = null; // the date field that keys change, rather than its calendar
let unsent = null; // a date field whose change has not been asked for yet
let placed = ""; // address of the question whose answer is on the page

export function prepareSearch() {
  placed = question();
  foldFilters();
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("change", onChange);
  document.addEventListener("keydown", (event) => (typing = event.target.type === "date" && !["Enter", "Tab"].includes(event.key) ? event.target : null));
  document.addEventListener("pointerdown", () => (typing = null));
  document.addEventListener("focusout", (event) => event.target === unsent && sendDate());
  window.addEventListener("popstate", () => question() !== placed && show(location.href, { push: false }));
  onFile(ask, say);
}

function onClick(event) {
  const link = event.target.closest("a[data-ask]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  hideViewer();
  show(link.href, { stay: "stay" in link.dataset });
}

function onSubmit(event) {
  if (event.target.id === "question") {
    event.preventDefault();
    unsent = null;
    show(addressOf(event.target));
  } else if (event.target.id === "drop") {
    event.preventDefault();
    const file = event.target.elements.file.files[0];
    if (file) ask(file);
  }
}

function onChange(event) {
  const field = event.target;
  if (field === typing) return void (unsent = field); // a year is typed digit by digit
  if (field.id === "file" && field.files.length) ask(field.files[0]);
  else if (field.form?.id === "question" && field.type !== "search") show(addressOf(field.form), { stay: field.name === "style" });
}

/** The address without the part that only the viewer reads. */
function question() {
  return location.pathname + location.search;
}

/** A date that was typed is asked for once the reader leaves its field; Enter asks at once, and so does the calendar. */
function sendDate() {
  const form = unsent?.form;
  unsent = null;
  if (form) show(addressOf(form));
}

function addressOf(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) asked.append(name, value.trim());
  return asked.size ? `/?${asked}` : "/";
}

/** Ask a question by its address and put the answer in place. */
async function show(address, { push = true, stay = false } = {}) {
  pending?.abort();
  pending = new AbortController();
  const results = document.querySelector("#results");
  results.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, signal: pending.signal });
    await place(response, push, stay);
  } catch (error) {
    if (error.name === "AbortError") return;
    results.setAttribute("aria-busy", "false");
    say("Likewise does not answer. Is it still running?");
  }
}

async function place(response, push, stay = false) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.querySelector("#results")) {
    const problem = [...page.querySelectorAll("main h1, main [data-hint]")].map((part) => part.textContent).join(" ");
    document.querySelector("#results").setAttribute("aria-busy", "false");
    say(problem || response.statusText);
    return;
  }
  const turning = document.activeElement?.name === "style"; // whoever turns the dial by keys goes on turning
  if (push) history.pushState({}, "", response.url);
  placed = question();
  document.title = page.title;
  for (const selector of LIVE) document.querySelector(selector).replaceWith(document.adoptNode(page.querySelector(selector)));
  syncForm(page.querySelector("#question"), page.querySelector("#filters"));
  showPreviews();
  preparePlayers(document.querySelector("#results"));
  oneStopEach(document.querySelector("#results"));
  rememberResults();
  if (turning) document.querySelector("#style")?.focus({ preventScroll: true });
  if (push && !stay) window.scrollTo({ top: 0 });
  if (document.activeElement === document.body) document.querySelector("#results h1")?.focus({ preventScroll: true });
  if (!push) followAddress();
}

/** The fields stay (the reader may be in one of them); only what they say follows the address. */
function syncForm(fresh, freshFilters) {
  const form = document.querySelector("#question");
  for (const hidden of form.querySelectorAll("input[type=hidden]")) hidden.remove();
  for (const hidden of fresh.querySelectorAll("input[type=hidden]")) form.append(document.adoptNode(hidden));
  if (document.activeElement !== form.elements.q) form.elements.q.value = fresh.elements.q.value;
  form.elements.q.placeholder = fresh.elements.q.placeholder;
  const fields = document.querySelectorAll("#filters :is(input, select)");
  freshFilters.querySelectorAll("input, select").forEach((from, at) => {
    const to = fields[at];
    if (to?.name !== from.name) return;
    if (to.type === "checkbox") to.checked = from.checked;
    else {
      if (to.tagName === "SELECT" && ![...to.options].some((option) => option.value === from.value)) to.add(new Option(from.value));
      to.value = from.value;
    }
  });
}

/** Send a file as the example; the answer is the page of the question about it. */
async function ask(file) {
  const form = document.querySelector("#drop");
  const most = Number(form.dataset.maxMb);
  if (file.size > most * 2 ** 20) return say(`${file.name} is larger than ${most} MiB, the most this server takes.`);
  const body = new FormData(form);
  body.set("file", file, file.name);
  say(`Looking at ${file.name} …`);
  document.querySelector("#results").setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const name = new URL(response.url).searchParams.getAll("like").find((value) => value.startsWith("upload-"));
    if (name) previews.set(name, URL.createObjectURL(file));
    say("");
    await place(response, true);
  } catch {
    document.querySelector("#results").setAttribute("aria-busy", "false");
    say(`${file.name} could not be sent. It may be larger than this server takes, or Likewise has stopped.`);
  } finally {
    const input = document.querySelector("#file");
    if (input) input.value = "";
  }
}

function showPreviews() {
  for (const example of document.querySelectorAll("[data-example^=upload-]")) {
    const address = previews.get(example.dataset.example);
    if (!address || example.dataset.kind === "audio") continue;
    const thumb = example.querySelector(".thumb");
    const picture = document.createElement(example.dataset.kind === "video" ? "video" : "img");
    picture.addEventListener("load", () => thumb.replaceChildren(picture)); // a format the browser cannot draw keeps its icon
    picture.addEventListener("loadeddata", () => thumb.replaceChildren(picture));
    if (picture.tagName === "VIDEO") picture.muted = true;
    else picture.alt = "";
    picture.src = address;
  }
}

function say(text) {
  document.querySelector("#drop .busy").textContent = text;
}

/** On a narrow page the filters start folded, so that results come first. */
function foldFilters() {
  const narrow = window.matchMedia("(max-width: 860px)");
  const filters = document.querySelector("#filters");
  const fold = () => filters.toggleAttribute("open", !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();
  filters.dataset.folds = ""; // see the style sheet
}
