/** The SAEs that train-sae made for the embedded model, beside the ones it came with. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readLapeFile } from "../lib/data/lape_files.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

const TRAINED = join(ROOT, "assets/demo/sae-trained");
const GIVEN = join(ROOT, "assets/demo/sae");

/** FVU of each layer on texts that neither were trained on. */
async function unexplained(saes: string, folder: string): Promise<number[]> {
  const args = ["--no-splice", "--dataset-configs", "udhr:{en,th}:even:0:12", "--out-dir", folder];
  const outcome = await runScript("evaluate-sae", ["--local-sae-dir", saes, ...args]);
  assert.equal(outcome.code, 0, outcome.stderr);
  const { saes: found } = JSON.parse(
    await Deno.readTextFile(join(folder, "evaluation/evaluation.json")),
  );
  return found.map(({ all }: { all: { fvu: number } }) => all.fvu);
}

Deno.test("they leave less unexplained than the given ones, at every layer, at equal k and width", async () => {
  await withFolder(async (folder) => {
    const trained = await unexplained(TRAINED, join(folder, "trained"));
    const given = await unexplained(GIVEN, join(folder, "given"));
    assert.equal(trained.length, 6);
    for (const [layer, fvu] of trained.entries()) {
      assert.ok(fvu < given[layer], `layer ${layer}: ${fvu}, the given one ${given[layer]}`);
    }
    for (const layer of trained.keys()) {
      const [own, other] = await Promise.all(
        [TRAINED, GIVEN].map(async (saes) =>
          JSON.parse(await Deno.readTextFile(join(saes, `layers.${layer}.mlp`, "cfg.json")))
        ),
      );
      assert.deepEqual([own.k, own.num_latents], [other.k, other.num_latents]);
    }
  });
});

Deno.test("identify finds features of every language in them", async () => {
  await withFolder(async (folder) => {
    const args = ["--dataset-configs", "udhr:{en,de,th}:odd", "--local-sae-dir", TRAINED];
    const quick = ["--bootstrap", "0", "--permutations", "0", "--no-report"];
    const outcome = await runScript("identify", [...args, ...quick, "--out-dir", folder]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { languages, features } = await readLapeFile(join(folder, "lape.json"));
    assert.deepEqual([...languages].sort(), ["English", "German", "Thai"]);
    for (const [g, own] of features.entries()) {
      assert.ok(own.length >= 10, `${languages[g]}: ${own.length} features`);
    }
  });
});
