/** What models say of how they write, by their files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { copyFolder } from "../../tests/support/folders.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { InputError } from "../formats/input_error.ts";
import { userAccess } from "./access.ts";
import { openModel } from "./open_model.ts";

Deno.test("generation_config.json is read where there is one, and is not hashed", () =>
  withFolder(async (folder) => {
    await copyFolder(projectPath("assets/demo/model"), folder);
    const path = join(folder, "generation_config.json");
    const open = async () => {
      using model = await openModel(folder, userAccess());
      return { generation: model.generation, hashes: model.hashes };
    };
    await Deno.writeTextFile(path, `{"do_sample": true, "top_k": 9, "eos_token_id": [3, 4]}`);
    const first = await open();
    assert.deepEqual(first.generation, {
      sampling: { temperature: 1, topK: 9, topP: 1 },
      endIds: [3, 4],
    });
    await Deno.writeTextFile(path, `{"top_p": "all"}`);
    await assert.rejects(
      open,
      (error) =>
        error instanceof InputError && /generation_config\.json.*top_p/.test(error.message),
    );
    await Deno.remove(path);
    const second = await open();
    assert.deepEqual(second.generation.endIds, [8191]);
    assert.deepEqual(second.hashes, first.hashes);
  }));

Deno.test("a GGUF file tells the token that ends texts", () =>
  withFolder(async (folder) => {
    const endIds = async (path: string) => {
      using model = await openModel(path, userAccess());
      return model.generation.endIds;
    };
    const path = projectPath("tests/fixtures/gguf/tiny.gguf");
    assert.deepEqual(await endIds(path), []);
    // the same file with the other name for its id of BOS, 1
    const bytes = await Deno.readFile(path);
    const key = new TextEncoder().encode("tokenizer.ggml.bos_token_id");
    const at = bytes.findIndex((_, at) => key.every((byte, i) => bytes[at + i] === byte));
    bytes.set(new TextEncoder().encode("eos"), at + "tokenizer.ggml.".length);
    await Deno.writeFile(join(folder, "m.gguf"), bytes);
    assert.deepEqual(await endIds(join(folder, "m.gguf")), [1]);
  }));
