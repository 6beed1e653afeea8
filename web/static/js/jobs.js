// Live jobs: asks once a second while one is at work, and changes figures in place; the cards are fetched anew when a
// job changes its state, because then its buttons change too.

const WORKING_MS = 1000;
const RESTING_MS = 5000;
const WORKING = new Set(["queued", "scanning", "running"]);
const COUNTS = ["embedded", "unchanged", "duplicate", "moved", "missing", "skipped", "failed"];
const DONE = ["embedded", "duplicate", "unchanged", "moved", "skipped", "failed"];
const groups = new Intl.NumberFormat("en", { useGrouping: true });

export async function followJobs() {
  let busy = true;
  try {
    const response = await fetch("/api/v1/jobs?limit=30");
    if (response.ok) {
      const jobs = await response.json();
      busy = jobs.some((job) => WORKING.has(job.state));
      if (jobs.every(isShown) && jobs.length === document.querySelectorAll("[data-job]").length) jobs.forEach(update);
      else await redraw();
    }
  } catch {
    busy = false; // the server is away; look again later
  }
  setTimeout(followJobs, busy && !document.hidden ? WORKING_MS : RESTING_MS);
}

function card(job) {
  return document.querySelector(`[data-job="${CSS.escape(job.id)}"]`);
}

function isShown(job) {
  return card(job)?.dataset.state === job.state;
}

function update(job) {
  const box = card(job);
  const set = (name, text) => {
    const field = box.querySelector(`[data-field=${name}]`);
    if (field && field.textContent !== text) field.textContent = text;
  };
  const done = DONE.reduce((sum, name) => sum + job[name], 0);
  const bar = box.querySelector("progress");
  bar.max = job.total || 1;
  if (job.state === "scanning") bar.removeAttribute("value");
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

async function redraw() {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("#jobs");
  if (fresh) document.querySelector("#jobs").replaceWith(document.adoptNode(fresh));
}

function number(value) {
  return groups.format(value).replaceAll(",", "\u202f");
}

function span(seconds) {
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
