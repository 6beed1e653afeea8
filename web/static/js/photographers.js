// The photographer dashboard: dropped photos are asked about in place, and jobs of the dashboard are followed.

import { onFile } from "./dropping.js";
import { oneStopEach } from "./grids.js";

const LOOKS_MS = 1500;
const OVER = new Set(["done", "done_with_failures", "failed", "cancelled"]);
const previews = new Map(); // name of an upload -> object URL of the file, for as long as this page is open

export function preparePredicting() {
  const say = (text) => (document.querySelector("#predict .busy").textContent = text);
  onFile((file) => ask([file], say), say, (files) => ask(files, say));
  document.addEventListener("change", (event) => {
    if (event.target.closest("#predict") && event.target.files?.length) ask([...event.target.files], say);
    if (event.target.matches("[data-all]"))
      document.querySelectorAll("#crediting [name=photo]").forEach((box) => (box.checked = event.target.checked));
  });
  window.addEventListener("popstate", () => location.reload());
}

/** Send photos; the answer is the page of the question about them, whose content takes the place of this one's. */
async function ask(files, say) {
  const form = document.querySelector("#predict");
  const most = Number(form.dataset.maxMb);
  const named = files.length === 1 ? files[0].name : `${files.length} photos`;
  if (files.reduce((sum, file) => sum + file.size, 0) > most * 2 ** 20)
    return say(`${named}: larger than ${most} MiB, the most this server takes at once.`);
  const body = new FormData(form);
  body.delete("file");
  files.forEach((file) => body.append("file", file, file.name));
  say(`Looking at ${named} …`);
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("#predict-page");
    if (!fresh) return say(refusal(page) || response.statusText);
    const names = [...fresh.querySelectorAll("[data-example^=upload-]")].map((one) => one.dataset.example);
    if (names.length === files.length) names.forEach((name, at) => previews.set(name, URL.createObjectURL(files[at])));
    if (response.redirected) history.pushState({}, "", response.url);
    document.title = page.title;
    document.querySelector("#predict-page").replaceWith(document.adoptNode(fresh));
    showPreviews();
    oneStopEach(document.querySelector("#predict-page"));
    window.scrollTo({ top: 0 });
    document.querySelector("#predict-page h1").focus({ preventScroll: true });
  } catch {
    say(`${named} could not be sent: larger than this server takes, or Likewise has stopped.`);
  }
}

function refusal(page) {
  return [...page.querySelectorAll("main h1, main [data-hint]")].map((part) => part.textContent).join(" ");
}

/** The photos themselves; a format the browser cannot draw keeps its icon. */
function showPreviews() {
  for (const blank of document.querySelectorAll("[data-example^=upload-] .blank")) {
    const address = previews.get(blank.closest("[data-example]").dataset.example);
    if (!address) continue;
    const picture = Object.assign(document.createElement("img"), { alt: "" });
    picture.addEventListener("load", () => blank.replaceWith(picture));
    picture.src = address;
  }
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
      if (job.embedded) Object.assign(box.querySelector("progress"), { max: job.total, value: job.embedded });
    } catch {
      // the server is away; look again later
    }
  }
  setTimeout(followWork, LOOKS_MS);
}
