import assert from "node:assert/strict";
import { withFolder } from "../../tests/support/run.ts";
import { storedExplanations } from "./explain_latents.ts";
import { Finished } from "./finished.ts";
import { explanationPath, writeValue } from "../interpret/results/result_files.ts";

Deno.test("a stored explanation keeps its mark until somebody edits it", () =>
  withFolder(async (folder) => {
    const latent = { hookpoint: "layers.0.mlp", layer: 0, index: 3, languages: [] };
    const path = explanationPath(folder, "identified", latent);
    using finished = await Finished.open(folder);
    const problem = async (text: string) => {
      await writeValue(path, text);
      const [stored] = await storedExplanations(
        [{ latent, group: "identified" }],
        folder,
        finished,
      );
      return stored.kind === "explained" ? stored.problem ?? null : stored.kind;
    };
    await finished.put(path, { asked: "", problem: "degenerate", text: "la la la" });
    assert.equal(await problem("la la la"), "degenerate");
    assert.equal(await problem("songs"), null);
  }));
