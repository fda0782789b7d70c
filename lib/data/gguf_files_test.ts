import assert from "node:assert/strict";
import { join } from "node:path";
import { projectPath } from "../../tests/support/tensors.ts";
import { InputError } from "../formats/input_error.ts";
import { openGguf } from "./gguf_files.ts";

const TINY = await Deno.readFile(projectPath("tests/fixtures/gguf/tiny.gguf"));

/** Runs a test beside a file `m.gguf` and others of these contents. */
async function inFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  test: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries({ "m.gguf": TINY, ...files })) {
      await Deno.writeFile(join(folder, name), new Uint8Array(bytesOf(content)));
    }
    await test(join(folder, "m.gguf"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

async function refused(path: string, why: RegExp): Promise<void> {
  await assert.rejects(openGguf(path), (error: Error) => {
    assert.ok(error instanceof InputError, String(error.stack));
    assert.ok(error.message.includes(path), error.message);
    assert.match(error.message, /^[^\n]+\.$/);
    assert.match(error.message, why);
    return true;
  });
}

/** A tokenizer.json of single characters. */
function tokenizerOf(characters: string): string {
  const vocab = Object.fromEntries([...characters].map((character, id) => [character, id]));
  return JSON.stringify({
    normalizer: null,
    post_processor: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: [] },
  });
}

Deno.test("a GGUF file is a whole model", async () => {
  await inFolder({ "config.json": "not of this model" }, async (path) => {
    using model = await openGguf(path);
    assert.equal(model.config.layers, 2);
    assert.deepEqual(model.files, ["m.gguf"]);
    assert.equal(model.tokenizer.decode(model.tokenizer.encode("Grüße")), "Grüße");
    const name = "model.layers.1.self_attn.q_proj.weight";
    assert.deepEqual(model.tensors.info(name).shape, [64, 64]);
    assert.equal((await model.tensors.read(name, 3, 20)).length, 17 * 64 * 4);
  });
});

Deno.test("a tokenizer.json beside the GGUF file takes the place of its own", async () => {
  const files = {
    "tokenizer.json": tokenizerOf("abc"),
    "tokenizer_config.json": JSON.stringify({ bos_token: "c", add_bos_token: true }),
  };
  await inFolder(files, async (path) => {
    using model = await openGguf(path);
    assert.deepEqual([...model.tokenizer.encode("ba")], [2, 1, 0]);
    assert.deepEqual(model.files, ["m.gguf", "tokenizer.json", "tokenizer_config.json"]);
  });
});

Deno.test("GGUF files that cannot be opened", async () => {
  const many = String.fromCodePoint(...Array.from({ length: 331 }, (_, i) => 0x4e00 + i));
  await inFolder({ "tokenizer.json": tokenizerOf(`a${many}`) }, async (path) => {
    await refused(path, /332 tokens, more than the 330 that the model/);
  });
  await inFolder({ "m.gguf": TINY.subarray(0, TINY.length - 40) }, async (path) => {
    await refused(path, /takes bytes \d+ to \d+ of the data, but the file holds \d+/);
  });
  await inFolder({ "m.gguf": "{}" }, async (path) => {
    await refused(path, /2 bytes long/);
    await refused(`${path}2`, /does not exist/);
  });
});
