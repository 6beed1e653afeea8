// A photo beside its developed self: the edge between them is moved, and the strength renders it anew.

const WAIT_MS = 200;

export function prepareDeveloping() {
  const shown = document.querySelector("#developed");
  const edge = shown.querySelector("[data-edge]");
  const strength = document.querySelector("#strength");
  const after = shown.querySelector(".after img");
  edge.addEventListener("input", () => after.style.setProperty("--edge", `${edge.value}%`));
  let waiting = 0;
  strength.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(strength.value), WAIT_MS);
  });
  // The words, the settings and the files are of the strength that was asked for: asking again makes them anew.
  strength.addEventListener("change", () => strength.form.requestSubmit());

  function show(value) {
    const address = new URL(after.src);
    address.searchParams.set("strength", value);
    after.src = address.href;
  }
}
