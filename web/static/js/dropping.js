// Files that are dropped anywhere on the page, or pasted into it.

/** Hands over one file; of several, `takeAll` gets them, or else `say` is told why not. */
export function onFile(take, say, takeAll = null) {
  let depth = 0;
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  const end = () => {
    depth = 0;
    document.body.classList.remove("dragging");
  };
  document.addEventListener("dragenter", (event) => {
    if (!carriesFile(event)) return;
    depth += 1;
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFile(event) && --depth <= 0) end();
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFile(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    end();
    const files = event.dataTransfer.files;
    if (files.length === 1) take(files[0]);
    else if (takeAll && files.length) takeAll([...files]);
    else say("Drop one file at a time.");
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) take(file);
  });
}
