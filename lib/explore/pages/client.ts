/// <reference lib="dom" />
/** What the browser runs on a page of the server. */
import type { ToldByKey } from "./answers.ts";
import { HttpBackend } from "./http_backend.ts";
import { mountExplorer } from "./mount.ts";

const root = document.getElementById("explorer");
const told: ToldByKey = JSON.parse(document.getElementById("told")?.textContent ?? "{}");
if (root) mountExplorer(new HttpBackend(), root, { address: "path", told });
