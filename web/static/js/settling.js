// The map of photographers while their vectors settle: a step at a time by the slider, or from the first to the last.

const FRAME_MS = 90;
const STILL_MS = 700; // between two pictures for those who would rather not see things move

export function prepareMaps() {
  for (const figure of document.querySelectorAll("[data-map]")) if (figure.querySelector("[data-player]")) prepare(figure);
}

function prepare(figure) {
  const steps = figure.dataset.steps.split(" ").map(Number);
  const spots = [...figure.querySelectorAll("[data-path]")].map((spot) => ({ spot, path: placesOf(spot.dataset.path) }));
  const [slider, button, label] = ["[data-frame]", "[data-play]", "[data-step]"].map((part) => figure.querySelector(part));
  const last = steps.length - 1;
  const watch = button.querySelector("span").textContent;
  let playing = 0;

  const show = (at) => {
    const from = Math.floor(at);
    const [to, part] = [Math.min(from + 1, last), at - from];
    for (const { spot, path } of spots) {
      const [x, y] = [0, 1].map((axis) => path[from][axis] + part * (path[to][axis] - path[from][axis]));
      spot.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
    const step = steps[Math.round(at)];
    label.textContent = String(step).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    slider.value = Math.round(at);
    slider.setAttribute("aria-valuetext", `step ${step}`);
  };
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    button.setAttribute("aria-pressed", "false");
    button.querySelector("span").textContent = watch;
  };
  const play = () => {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pace = still ? STILL_MS : FRAME_MS;
    const start = Number(slider.value) >= last ? 0 : Number(slider.value);
    let began = 0;
    button.setAttribute("aria-pressed", "true");
    button.querySelector("span").textContent = "Pause";
    const draw = (now) => {
      began ||= now;
      const at = Math.min(start + (now - began) / pace, last);
      show(still ? Math.floor(at) : at);
      if (at >= last) stop();
      else playing = requestAnimationFrame(draw);
    };
    playing = requestAnimationFrame(draw);
  };

  figure.querySelector("[data-player]").hidden = false;
  button.addEventListener("click", () => (playing ? stop() : play()));
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
}

function placesOf(path) {
  return path.split(" ").map((place) => place.split(",").map(Number));
}
