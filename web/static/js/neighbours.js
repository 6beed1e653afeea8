// Previous and next on the page of an item: the results from which it was opened are remembered for this tab.

const KEY = "likewise-results";

/** Remember the results of this page in their order, with the address to go back to. */
export function rememberResults() {
  const found = [...document.querySelectorAll("#results .tile")].map((tile) => ({
    id: tile.dataset.id,
    href: tile.querySelector(".frame").getAttribute("href"),
  }));
  try {
    if (found.length) sessionStorage.setItem(KEY, JSON.stringify({ back: location.pathname + location.search, found }));
  } catch {
    // a browser that keeps nothing
  }
}

/** Fill the links of an item's page, where it is one of the results. */
export function showNeighbours() {
  const nav = document.querySelector("#neighbours");
  if (!nav) return;
  const { back, found = [] } = remembered();
  const at = found.findIndex((one) => one.id === nav.dataset.id);
  if (at < 0) return;
  link(nav, "back", back);
  link(nav, "previous", found[at - 1]?.href);
  link(nav, "next", found[at + 1]?.href);
  nav.querySelector("[data-place]").textContent = `${at + 1} of ${found.length}`;
}

function link(nav, name, href) {
  if (href) nav.querySelector(`[data-to=${name}]`).href = href;
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
