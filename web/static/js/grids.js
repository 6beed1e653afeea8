// Grids and strips of tiles are one stop of the Tab key: arrow keys go from tile to tile, Home and End to the ends, and
// Tab goes on to what can be done with the tile that has the focus.

const GROUPS = ".grid, .strip, .photos";
const ITEMS = ".tile, .photo";

export function prepareGrids() {
  oneStopEach(document);
  document.addEventListener("focusin", (event) => {
    const item = event.target.closest(ITEMS);
    if (item) choose(item);
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const item = event.target.closest("dialog") ? null : event.target.closest(ITEMS);
    const next = item && neighbour(item, event.key);
    if (!next) return;
    event.preventDefault();
    choose(next);
    links(next)[0].focus();
  });
}

/** Take all but the first item of each group below `root` out of the order of Tab. */
export function oneStopEach(root) {
  for (const group of root.querySelectorAll(GROUPS)) {
    const items = [...group.querySelectorAll(ITEMS)];
    items.forEach((item, at) => stop(item, at === 0));
  }
}

function choose(item) {
  const group = item.closest(GROUPS);
  if (!group) return;
  for (const other of group.querySelectorAll("[data-stop]")) if (other !== item) stop(other, false);
  stop(item, true);
}

function stop(item, is) {
  item.toggleAttribute("data-stop", is);
  for (const link of links(item)) link.tabIndex = is ? 0 : -1;
}

function links(item) {
  return item.matches("a") ? [item] : [...item.querySelectorAll("a")];
}

function neighbour(item, key) {
  const items = [...(item.closest(GROUPS)?.querySelectorAll(ITEMS) ?? [])];
  const at = items.indexOf(item);
  const places = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 };
  if (key in places) return items[places[key]];
  if (key === "ArrowDown" || key === "ArrowUp") return inOtherRow(item, items, key === "ArrowDown" ? 1 : -1);
  return null;
}

/** The item of the next row, or of the row before, that is nearest to this one sideways. */
function inOtherRow(item, items, direction) {
  const own = item.getBoundingClientRect();
  const middle = (box) => box.left + box.width / 2;
  const boxes = items.map((other) => ({ other, box: other.getBoundingClientRect() }));
  const beyond = boxes.filter(({ box }) => direction * (box.top - own.top) > own.height / 2);
  if (!beyond.length) return null;
  const row = direction * Math.min(...beyond.map(({ box }) => direction * box.top));
  const near = beyond.filter(({ box }) => Math.abs(box.top - row) < own.height / 2);
  const away = ({ box }) => Math.abs(middle(box) - middle(own));
  return near.reduce((best, one) => (away(one) < away(best) ? one : best)).other;
}
