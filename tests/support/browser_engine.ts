/// <reference lib="dom" />
/** Bundled for a browser: runs the engine there and hands back what it computed. */
import type { KernelFamily } from "../../lib/gpu/device.ts";
import type { LatentSteering } from "../../lib/explore/live/visitor_runs.ts";
import { Engine } from "../../lib/site/engine.ts";
import { DEMO, entriesOf } from "./demo_engine.ts";

/** What the page that this is in can be asked. */
export interface BrowserEngine {
  run(family: KernelFamily, texts: readonly string[], steering?: LatentSteering): Promise<{
    readonly entries: Awaited<ReturnType<typeof entriesOf>>;
    readonly steered?: Awaited<ReturnType<Engine["steer"]>>;
    readonly architecture: string;
  }>;
}

const browserEngine: BrowserEngine = {
  async run(family, texts, steering) {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Error("no adapter");
    const read = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    using engine = await Engine.open(adapter, DEMO, read, { family });
    const entries = await entriesOf(engine, texts);
    const steered = steering && await engine.steer(steering, () => {});
    return { entries, steered, architecture: engine.gpu.identity.architecture };
  },
};

Object.assign(globalThis, { browserEngine });
