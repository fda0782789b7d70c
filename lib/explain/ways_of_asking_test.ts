import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { PUBLISHED_TEXTS } from "../interpret/prompts/prompt_texts.ts";
import type { InterpretOptions } from "./options.ts";
import { promptTexts } from "./ways_of_asking.ts";

Deno.test("texts of prompts are an object of ours or a published instruction file", () =>
  withFolder(async (folder) => {
    const path = join(folder, "texts.json");
    const texts = async (json?: unknown) => {
      await Deno.writeTextFile(path, JSON.stringify(json ?? null));
      const options = json === undefined ? {} : { promptTexts: path };
      return await promptTexts(options as InterpretOptions);
    };
    assert.equal(await texts(), PUBLISHED_TEXTS);
    assert.equal((await texts({ fuzz: { system: "Mine." } })).fuzz.system, "Mine.");
    assert.equal((await texts("Explain.")).explainer.system, "Explain.");
    const messages = [
      { role: "system", content: "Explain!" },
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ];
    const { system, shots } = (await texts(messages)).explainer;
    assert.deepEqual([system, shots], ["Explain!", [{ user: "a", assistant: "b" }]]);
  }));
