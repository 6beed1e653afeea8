// Players: a waveform that shows and takes the position, videos that start at the matching moment, and what to say when
// the browser cannot play a format.

/** Prepare every player below `root`. */
export function preparePlayers(root) {
  for (const wave of root.querySelectorAll(".wave:not([data-ready])")) prepareWave(wave);
  const stage = root.querySelector("#stage");
  if (stage) prepareStage(stage);
}

/** A picture of the sound above its controls; a click on it plays from there. */
export function prepareWave(wave) {
  wave.dataset.ready = "";
  const audio = wave.querySelector("audio");
  const picture = wave.querySelector("img");
  if (!picture) return;
  const track = document.createElement("div");
  track.className = "track";
  picture.replaceWith(track);
  track.append(picture);
  const draw = () => wave.style.setProperty("--played", `${(100 * audio.currentTime) / (audio.duration || 1)}%`);
  audio.addEventListener("timeupdate", draw);
  audio.addEventListener("seeked", draw);
  track.addEventListener("click", (event) => {
    const box = track.getBoundingClientRect();
    if (audio.duration) audio.currentTime = (audio.duration * (event.clientX - box.left)) / box.width;
    audio.play().catch(() => {});
  });
}

/** Start a video at a moment, once it knows its length. */
export function startAt(video, moment) {
  const seek = () => {
    video.currentTime = Math.min(moment, video.duration || moment);
  };
  if (video.readyState >= 1) seek();
  else video.addEventListener("loadedmetadata", seek, { once: true });
}

/** Call `say` when neither the file nor any of its sources can be played. */
export function onUnplayable(player, say) {
  player.addEventListener("error", () => {
    if (player.error) say();
  });
}

function prepareStage(stage) {
  const player = stage.querySelector("video, audio");
  if (!player) return;
  const sorry = stage.querySelector("[data-unplayable]");
  const complain = () => {
    sorry.hidden = false;
  };
  if (player.error) complain();
  onUnplayable(player, complain);
  for (const jump of stage.querySelectorAll("[data-jump]")) {
    jump.addEventListener("click", (event) => {
      event.preventDefault();
      startAt(player, Number(jump.dataset.jump));
      player.play().catch(() => {});
    });
  }
}
