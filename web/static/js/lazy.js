// Previews of the first screen come first: those further down, or further along a strip, are asked for when they are
// about to be seen; once the reader has begun to move, a screen ahead. Browsers by themselves load several screens of
// them at once. A classic script in the head, so that it sees each picture before its first layout; without scripts
// pictures are loaded as their markup says.

(() => {
  const PICTURES = ".frame > img[loading=lazy][src]";
  let observer = watch("0px");

  function watch(margin) {
    return new IntersectionObserver(
      (entries) => entries.forEach((entry) => entry.isIntersecting && load(entry.target)),
      { rootMargin: margin, scrollMargin: margin },
    );
  }

  function hold(picture) {
    picture.dataset.later = picture.getAttribute("src");
    picture.removeAttribute("src");
    observer.observe(picture);
  }

  function load(picture) {
    observer.unobserve(picture);
    if (!picture.dataset.later) return;
    picture.src = picture.dataset.later;
    delete picture.dataset.later;
  }

  function lookAhead() {
    for (const kind of STARTS) removeEventListener(kind, lookAhead);
    observer.disconnect();
    observer = watch("100%");
    for (const picture of document.querySelectorAll("img[data-later]")) observer.observe(picture);
  }

  const STARTS = ["scroll", "wheel", "touchstart", "keydown"];
  for (const kind of STARTS) addEventListener(kind, lookAhead, { passive: true });
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) {
        if (node.nodeType !== Node.ELEMENT_NODE) continue;
        if (node.matches(PICTURES)) hold(node);
        else node.querySelectorAll(PICTURES).forEach(hold);
      }
  }).observe(document, { childList: true, subtree: true });
  addEventListener("beforeprint", () => document.querySelectorAll("img[data-later]").forEach(load));
})();
