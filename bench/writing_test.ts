import assert from "node:assert/strict";
import { openTestGpu } from "../tests/support/gpu.ts";
import { EMBEDDED_MODEL } from "../lib/subject/open_model.ts";
import { declaration, openRunning } from "./running_model.ts";
import { measureScoring } from "./score.ts";
import { measureWriting } from "./writing.ts";

Deno.test("writing and scoring are timed on the embedded model, also where there is no peer", async () => {
  using gpu = await openTestGpu();
  using running = await openRunning(gpu, EMBEDDED_MODEL);
  const texts = (await declaration(running.model.tokenizer, ["en"])).slice(0, 3);
  const folder = await Deno.makeTempDir();
  try {
    const effort = { rounds: 2, runMs: 1, folder };
    const prompts = texts.map((ids) => ids.slice(0, 4));
    const writing = { path: EMBEDDED_MODEL, prompts, passes: 5 };
    const times = await measureWriting(gpu, running, writing, undefined, effort);
    assert.equal(times.ties, 0);
    for (const series of [times.prefill, times.decode]) {
      assert.deepEqual(series.map(({ name, rounds }) => [name, rounds.length]), [[
        "babelscope",
        2,
      ]]);
    }
    assert.ok(times.prefill[0].rounds.every(({ cpuMs, wallMs }) => cpuMs > 0 && wallMs > 0));
    const scored = await measureScoring(gpu, running, EMBEDDED_MODEL, texts, undefined, effort);
    assert.equal(scored.tokens, texts.reduce((sum, { length }) => sum + length, 0));
    assert.equal(scored.peers.length, 0);
    assert.ok(scored.ours.rounds.every(({ cpuMs }) => cpuMs > 0));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
