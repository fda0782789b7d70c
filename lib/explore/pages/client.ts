/// <reference lib="dom" />
/** What the browser runs on a page of the server. */
import type { ToldByKey } from "./answers.ts";
import { HttpBackend } from "./http_backend.ts";
import { mountExplorer } from "./mount.ts";

/** Brings the page that was sent to life. */
function start(root: HTMLElement): void {
  const told: ToldByKey = JSON.parse(document.getElementById("told")?.textContent ?? "{}");
  mountExplorer(new HttpBackend(), root, { address: "path", told });
  root.dataset.ready = "";
}

const root = document.getElementById("explorer");
// Once the page is painted: it can be read before it can be used.
if (root) requestAnimationFrame(() => setTimeout(start, 0, root));
