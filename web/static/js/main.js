// Starts whatever the page has use for. Without scripts every page still works by links and forms.

import { followJobs } from "./jobs.js";
import { preparePlayers } from "./player.js";
import { prepareSearch } from "./search.js";
import { prepareViewer } from "./viewer.js";
import { prepareGrids } from "./grids.js";
import { rememberResults, showNeighbours } from "./neighbours.js";
import { prepareHovering } from "./hover.js";
import { prepareDeveloping } from "./developing.js";
import { followWork, preparePredicting } from "./photographers.js";
import { prepareMaps } from "./settling.js";

document.documentElement.classList.add("scripted"); // what tests wait for
preparePlayers(document);
prepareHovering();
prepareGrids();
showNeighbours();
prepareViewer();
prepareMaps();
if (document.querySelector("#question")) prepareSearch();
if (document.querySelector("#results")) rememberResults();
if (document.querySelector("#predict")) preparePredicting();
if (document.querySelector("#developed")) prepareDeveloping();
followWork();
if (document.body.matches("[data-follow-jobs]")) followJobs();
