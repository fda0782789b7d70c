/// <reference lib="webworker" />
/**
 * The worker that the model runs in, so that waiting for it blocks nothing on the page. Questions are
 * answered one after the other.
 */
import { z } from "zod";
import { GpuError } from "../gpu/memory.ts";
import { Engine } from "./engine.ts";
import type { EngineFiles } from "./engine_files.ts";
import { fetchFile, type HashedFiles } from "./hashed_files.ts";
import type { Reply, Request } from "./messages.ts";
import { PATHS } from "./layout.ts";

// Compiled checks are what the page's policy forbids.
z.config({ jitless: true });

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const cancelled = new Set<number>();
let site: { readonly root: string; readonly hashes: HashedFiles };
let engine: Promise<Engine> | undefined;
let last: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }: MessageEvent<Request>) => {
  switch (data.kind) {
    case "open":
      site = data;
      break;
    case "cancel":
      cancelled.add(data.id);
      break;
    default:
      last = last.then(() => answer(data));
  }
};

/** The engine; one that could not be opened, or whose GPU failed, is opened anew. */
function opened(): Promise<Engine> {
  return engine ??= open().catch((error) => {
    engine = undefined;
    throw error;
  });
}

async function open(): Promise<Engine> {
  const { root, hashes } = site;
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("This browser offers no GPU to the model.");
  const files: EngineFiles = await (await fetchFile(root, PATHS.engine, hashes[PATHS.engine]))
    .json();
  const read = async (path: string) =>
    new Uint8Array(await (await fetchFile(root, path, hashes[path])).arrayBuffer());
  return await Engine.open(adapter, files, read);
}

/** Gives back what a failed GPU still holds: the next engine may need it. */
async function close(): Promise<void> {
  const failed = engine;
  engine = undefined;
  (await failed?.catch(() => undefined))?.[Symbol.dispose]();
}

async function answer(request: Exclude<Request, { kind: "open" | "cancel" }>): Promise<void> {
  const { id } = request;
  const tell = (reply: Reply) => scope.postMessage(reply);
  try {
    if (cancelled.has(id)) return;
    const model = await opened();
    const result = request.kind === "try"
      ? await model.tryText(request.text)
      : await model.steer(request.request, (tokens) => {
        if (cancelled.has(id)) throw new Error("Nobody waits for this text.");
        tell({ kind: "progress", id, tokens });
      });
    tell({ kind: "answer", id, answer: result });
  } catch (error) {
    if (error instanceof GpuError) await close();
    tell({ kind: "problem", id, problem: (error as Error).message });
  } finally {
    cancelled.delete(id);
  }
}
