// A video in the results plays, muted and from its matching moment, while the pointer rests on it.

import { startAt } from "./player.js";

const RESTS_MS = 220;

export function prepareHovering() {
  if (!window.matchMedia("(hover: hover)").matches || window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  let waiting = 0;
  let playing = null;
  const stop = () => {
    clearTimeout(waiting);
    playing?.removeAttribute("src");
    playing?.load();
    playing?.remove();
    playing = null;
  };
  document.addEventListener("pointerover", (event) => {
    const tile = event.target.closest?.(".tile[data-kind=video][data-playable]");
    if (tile && tile.contains(event.relatedTarget)) return;
    stop();
    if (tile) waiting = setTimeout(() => (playing = play(tile)), RESTS_MS);
  });
  document.addEventListener("pointerleave", stop);
}

function play(tile) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, loop: true, playsInline: true, src: tile.dataset.src });
  video.addEventListener("error", () => video.remove());
  startAt(video, Number(tile.dataset.moment ?? 0));
  video.addEventListener("playing", () => tile.querySelector(".frame").querySelector("img, .blank")?.after(video), { once: true });
  video.play().catch(() => {});
  return video;
}
