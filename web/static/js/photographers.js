// The photographer dashboard: a dropped photo is asked about in place, and jobs of the dashboard are followed.

import { onFile } from "./dropping.js";

const LOOKS_MS = 1500;
const OVER = new Set(["done", "done_with_failures", "failed", "cancelled"]);
const previews = new Map(); // name of an upload -> object URL of the file, for as long as this page is open

export function preparePredicting() {
  const say = (text) => (document.querySelector("#predict .busy").textContent = text);
  onFile((file) => ask(file, say), say);
  document.addEventListener("change", (event) => {
    if (event.target.closest("#predict") && event.target.files?.length) ask(event.target.files[0], say);
  });
  window.addEventListener("popstate", () => location.reload());
}

/** Send a photo; the answer is the page of the question about it, whose content takes the place of this one's. */
async function ask(file, say) {
  const form = document.querySelector("#predict");
  const most = Number(form.dataset.maxMb);
  if (file.size > most * 2 ** 20) return say(`${file.name} is larger than ${most} MiB, the most this node takes.`);
  const body = new FormData(form);
  body.set("file", file, file.name);
  say(`Looking at ${file.name} …`);
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("#predict-page");
    if (!fresh) return say(refusal(page) || response.statusText);
    const name = new URL(response.url).searchParams.get("like");
    if (name) previews.set(name, URL.createObjectURL(file));
    history.pushState({}, "", response.url);
    document.title = page.title;
    document.querySelector("#predict-page").replaceWith(document.adoptNode(fresh));
    showPreview();
    window.scrollTo({ top: 0 });
    document.querySelector("#predict-page h1").focus({ preventScroll: true });
  } catch {
    say(`${file.name} could not be sent. It may be larger than this node takes, or Likewise has stopped.`);
  }
}

function refusal(page) {
  return [...page.querySelectorAll("main h1, main [data-hint]")].map((part) => part.textContent).join(" ");
}

/** The photo itself; a format the browser cannot draw keeps its icon. */
function showPreview() {
  const blank = document.querySelector("[data-example^=upload-] .blank");
  const address = blank && previews.get(blank.closest("[data-example]").dataset.example);
  if (!address) return;
  const picture = Object.assign(document.createElement("img"), { alt: "" });
  picture.addEventListener("load", () => blank.replaceWith(picture));
  picture.src = address;
}

/** Say how far the dashboard's jobs are; once one is over, the page shows what it has made. */
export async function followWork() {
  const boxes = [...document.querySelectorAll("[data-work]")];
  if (!boxes.length) return;
  for (const box of boxes) {
    try {
      const response = document.hidden ? null : await fetch(`/api/v1/jobs/${encodeURIComponent(box.dataset.work)}`);
      if (!response?.ok) continue;
      const job = await response.json();
      if (OVER.has(job.state)) return location.reload();
      const says = job.message || job.state.replaceAll("_", " ");
      const text = box.querySelector("[data-says]");
      if (text.textContent !== says) text.textContent = says;
      if (job.total) Object.assign(box.querySelector("progress"), { max: job.total, value: job.embedded });
    } catch {
      // the server is away; look again later
    }
  }
  setTimeout(followWork, LOOKS_MS);
}
