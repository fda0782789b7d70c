/// <reference lib="dom" />
/** What a visitor's browser runs: the explorer's pages over the files of the site. */
import { mountExplorer } from "../explore/pages/mount.ts";
import { fetchFile, type HashedFiles } from "./hashed_files.ts";
import { StaticBackend } from "./static_backend.ts";
import { WorkerModel } from "./worker_model.ts";

/** Where the page lies: the site works below any path. */
const ROOT = new URL(".", document.baseURI).href;

async function main(root: HTMLElement): Promise<void> {
  const { hashes, worker } = root.dataset;
  const live = await missing() ?? new WorkerModel(
    () => startWorker(worker),
    ROOT,
    await (await fetchFile(ROOT, "hashes.json", hashes)).json() as HashedFiles,
  );
  if (typeof live === "string") say(`${live} Everything else is here as it was recorded.`);
  const read = async (path: string) => await (await fetchFile(ROOT, path)).json();
  root.replaceChildren();
  mountExplorer(new StaticBackend(read, live), root);
}

/** Why no model can run in this browser, in a sentence. */
async function missing(): Promise<string | undefined> {
  const trying = "texts cannot be tried and steered here.";
  if (!navigator.gpu) return `This browser has no WebGPU, so ${trying}`;
  if (!globalThis.DisposableStack) return `This browser is too old for the model, so ${trying}`;
  const adapter = await navigator.gpu.requestAdapter();
  return adapter ? undefined : `This browser offers no GPU, so ${trying}`;
}

/** From its text, so that it is checked, and kept to the page's policy. */
async function startWorker(integrity: string | undefined): Promise<Worker> {
  const source = await (await fetchFile(ROOT, "worker.js", integrity)).blob();
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return new Worker(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function say(sentence: string): void {
  const notice = document.getElementById("notice");
  if (!notice) return;
  notice.textContent = sentence;
  notice.hidden = false;
}

const root = document.getElementById("explorer");
if (root) await main(root);
