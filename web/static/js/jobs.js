// Live jobs: asks once a second while one is at work (less often on other pages, which only say so in the bar), and
// changes figures in place; a card is fetched anew when its job changes state, because then its buttons change too.

const WORKING_MS = 1000;
const ELSEWHERE_MS = 3000;
const RESTING_MS = 5000;
const WORKING = new Set(["queued", "scanning", "running"]);
const COUNTS = ["embedded", "unchanged", "duplicate", "moved", "missing", "skipped", "failed"];
const DONE = ["embedded", "duplicate", "unchanged", "moved", "skipped", "failed"];
const groups = new Intl.NumberFormat("en", { useGrouping: true });

export async function followJobs() {
  const list = document.querySelector("#jobs");
  let busy = false;
  try {
    const response = document.hidden ? null : await fetch("/api/v1/jobs?limit=30");
    if (response?.ok) {
      const jobs = await response.json();
      busy = jobs.some((job) => WORKING.has(job.state));
      announce(jobs);
      if (list && jobs.every(isShown) && jobs.length === list.querySelectorAll("[data-job]").length) jobs.forEach(update);
      else if (list) await redraw(list);
    }
  } catch {
    // the server is away; look again later
  }
  setTimeout(followJobs, !busy ? RESTING_MS : list ? WORKING_MS : ELSEWHERE_MS);
}

/** In the bar of every page: how far the work is. A page with an empty library says it, too, and fills once it can. */
function announce(jobs) {
  const working = jobs.filter((job) => WORKING.has(job.state));
  const running = working.filter((job) => job.state === "running");
  const sum = (amount) => running.reduce((total, job) => total + amount(job), 0);
  const done = sum(doneOf);
  const total = sum((job) => job.total);
  const badge = document.querySelector("[data-jobs-badge]");
  badge.hidden = !working.length;
  write(badge, total ? `${Math.floor((100 * done) / total)} %` : (working.find((job) => job.state !== "queued") ?? working[0])?.state ?? "");
  badge.title = total ? `${number(done)} of ${number(total)}` : "";
  const underway = document.querySelector("#underway");
  if (!underway) return;
  underway.hidden = !working.length;
  write(underway.querySelector("[data-progress]"), total ? `${number(done)} of ${number(total)}.` : "");
  const typing = document.querySelector(".welcome [name=path]").value;
  if (jobs.some((job) => job.embedded) && !typing) location.reload();
}

function card(job) {
  return document.querySelector(`[data-job="${CSS.escape(job.id)}"]`);
}

function isShown(job) {
  return card(job)?.dataset.state === job.state;
}

function update(job) {
  const box = card(job);
  const set = (name, text) => write(box.querySelector(`[data-field=${name}]`), text);
  set("message", job.message);
  box.querySelector("[data-field=message]").hidden = !job.message;
  if (job.state === "queued") return; // its card has no figures yet
  const done = doneOf(job);
  const bar = box.querySelector("progress");
  bar.max = job.total || 1;
  if (!done && WORKING.has(job.state)) bar.removeAttribute("value"); // it moves without saying how far the work is
  else bar.value = job.total ? done : 0;
  set("done", number(done));
  set("total", number(job.total));
  set("seconds", span(job.seconds));
  for (const name of COUNTS) {
    set(name, number(job[name]));
    box.querySelector(`.${name}`).classList.toggle("zero", !job[name]);
  }
  const working = WORKING.has(job.state);
  set("rate", job.rate.toFixed(1));
  box.querySelector("[data-show=rate]").hidden = !job.rate || !working;
  set("eta", span(job.eta_seconds ?? 0));
  box.querySelector("[data-show=eta]").hidden = job.eta_seconds === null || !working;
}

/** Take over the cards of jobs that are new or in another state; the others stay, with the focus that may be in them. */
async function redraw(list) {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("#jobs");
  if (!fresh) return;
  const wanted = [...fresh.children].map((node) => {
    const shown = node.dataset.job && card({ id: node.dataset.job });
    return shown && shown.dataset.state === node.dataset.state ? shown : document.adoptNode(node);
  });
  for (const node of [...list.children]) if (!wanted.includes(node)) node.remove();
  wanted.forEach((node, at) => list.children[at] !== node && list.insertBefore(node, list.children[at] ?? null));
}

function doneOf(job) {
  return DONE.reduce((sum, name) => sum + job[name], 0);
}

function write(field, text) {
  if (field.textContent !== text) field.textContent = text; // what has not changed is not read aloud again
}

function number(value) {
  return groups.format(value).replaceAll(",", "\u202f");
}

function span(seconds) {
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
