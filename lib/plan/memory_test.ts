import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT, runScript, withFolder } from "../../tests/support/run.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import { countMemory } from "./memory.ts";

const MODEL = `${ROOT}assets/demo/model/config.json`;

Deno.test("the memory of counting is foretold within a quarter", async () => {
  await withFolder(async (cwd) => {
    const texts = ["--dataset-configs", "udhr:{en,de,th}"];
    const { code, stderr } = await runScript("count", texts, { cwd });
    assert.equal(code, 0, stderr);
    const run = JSON.parse(await Deno.readTextFile(join(cwd, "results/counts/run.json")));
    const most = (field: "tokens" | "examples") =>
      Math.max(...run.corpora.map((corpus: Record<string, number>) => corpus[field]));
    const foretold = countMemory({
      config: parseLlamaConfig(JSON.parse(await Deno.readTextFile(MODEL)), MODEL),
      hookpoints: 6,
      latents: 2048,
      modelWidth: 2,
      saeWidth: 2,
      tokens: Math.min(8192, most("tokens")),
      examples: Math.min(1024, most("examples")),
      documentGroups: 31,
    });
    const ratio = foretold.most / run.gpu_peak_bytes;
    assert.ok(ratio > 0.75 && ratio < 1.33, `${ratio}`);
    assert.ok(foretold.least < foretold.most);
  });
});
