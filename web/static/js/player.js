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
  let track = picture.closest(".track");
  if (!track) {
    track = document.createElement("div");
    track.className = "track";
    picture.replaceWith(track);
    track.append(picture);
  }
  const draw = () => wave.style.setProperty("--played", `${(100 * audio.currentTime) / (audio.duration || 1)}%`);
  audio.addEventListener("timeupdate", draw);
  audio.addEventListener("seeked", draw);
  track.addEventListener("click", (event) => {
    const box = track.getBoundingClientRect();
    if (audio.duration) audio.currentTime = (audio.duration * (event.clientX - box.left)) / box.width;
    audio.play().catch(() => {});
  });
}

/** Start a video or sound at a moment, once it knows its length. */
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
  drawFrames(player, [...stage.querySelectorAll("[data-frame]")]);
  for (const jump of stage.querySelectorAll("[data-jump]")) {
    jump.addEventListener("click", (event) => {
      event.preventDefault();
      startAt(player, Number(jump.dataset.jump));
      player.play().catch(() => {});
    });
  }
}

/** A small picture beside the time of each key frame, taken from the video itself by a second, silent player. */
async function drawFrames(player, jumps) {
  const nav = jumps[0]?.parentElement;
  if (!nav) return;
  if (navigator.connection?.saveData) return void (nav.dataset.plain = "");
  const frames = jumps.map((jump) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 208, height: 117 });
    jump.prepend(canvas);
    return { canvas, moment: Number(jump.dataset.jump) };
  });
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: player.src.split("#")[0] });
  try {
    await happens(video, "loadeddata");
    for (const { canvas, moment } of frames) {
      video.currentTime = Math.min(moment, Math.max(0, video.duration - 0.05));
      await happens(video, "seeked");
      drawCovering(canvas, video);
    }
  } catch {
    for (const { canvas } of frames) canvas.remove();
    nav.dataset.plain = "";
  }
  video.removeAttribute("src");
  video.load();
}

function happens(player, event) {
  return new Promise((resolve, reject) => {
    player.addEventListener(event, resolve, { once: true });
    player.addEventListener("error", reject, { once: true });
  });
}

function drawCovering(canvas, video) {
  const scale = Math.max(canvas.width / video.videoWidth, canvas.height / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  // Held in memory: drawn by the graphics card, all pictures may end up showing the same frame.
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(video, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}
