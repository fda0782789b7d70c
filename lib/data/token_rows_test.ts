import assert from "node:assert/strict";
import { join } from "node:path";
import { refuses } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { encodeSafetensors, type Tensor } from "../formats/safetensors.ts";
import { FileHasher } from "./file_hashes.ts";
import { openTokenBin, openTokenFolder, openTokenTensors } from "./token_rows.ts";

const hasher = new FileHasher();

async function written(path: string, tensors: Record<string, Tensor>): Promise<string> {
  await Deno.writeFile(path, encodeSafetensors(tensors));
  return path;
}

const u16 = (ids: number[]) => ({
  dtype: "U16" as const,
  shape: [ids.length],
  data: Uint16Array.from(ids),
});

Deno.test("a bin file is rows of 16 bits", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.bin");
    await Deno.writeFile(path, Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0, 255, 255, 6, 1));
    using rows = await openTokenBin(path, 2, hasher);
    assert.equal(rows.rows, 3);
    assert.deepEqual([...await rows.read([2, 0, 2])], [65535, 262, 1, 2, 65535, 262]);
    assert.deepEqual(rows.parts, [{ language: undefined, rows: 3 }]);
    await assert.rejects(rows.read([3]), RangeError);
    await refuses(() => openTokenBin(path, 4, hasher), /12 bytes, expected whole rows of 4/);
    await refuses(() => openTokenBin(join(folder, "no.bin"), 4, hasher), /does not exist/);
  }));

Deno.test("vectors are cut into windows, by language, the rest is counted", () =>
  withFolder(async (folder) => {
    const path = await written(join(folder, "x.safetensors"), {
      en: u16([1, 2, 3, 4, 5, 6, 7]),
      xx1: u16([8]),
      de: u16([9, 10, 11]),
    });
    using rows = await openTokenTensors(path, 3, hasher);
    assert.deepEqual(rows.parts, [{ language: "English", rows: 2 }, {
      language: "German",
      rows: 1,
    }]);
    assert.deepEqual([...await rows.read([2, 0, 1])], [9, 10, 11, 1, 2, 3, 4, 5, 6]);
    assert.equal(rows.leftOver, 2);
    await refuses(() => openTokenTensors(path, 8, hasher), /no vector of 8 token ids/);
  }));

for (
  const [dtype, data] of [
    ["U16", Uint16Array.of(1, 2, 3, 4, 5, 60000)],
    ["I32", Int32Array.of(1, 2, 3, 4, 5, 60000)],
    ["U32", Uint32Array.of(1, 2, 3, 4, 5, 60000)],
    ["I64", BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 60000n)],
  ] as const
) {
  Deno.test(`a matrix input_ids of ${dtype} has its own length`, () =>
    withFolder(async (folder) => {
      const tensor = { dtype, shape: [2, 3], data };
      const path = await written(join(folder, "x.safetensors"), { input_ids: tensor });
      using rows = await openTokenTensors(path, 100, hasher);
      assert.deepEqual([rows.rows, rows.contextLength], [2, 3]);
      assert.deepEqual([...await rows.read([1, 0])], [4, 5, 60000, 1, 2, 3]);
    }));
}

Deno.test("what holds no token ids is refused", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const floats = { dtype: "F32" as const, shape: [4], data: new Float32Array(4) };
    await written(path, { en: floats });
    await refuses(() => openTokenTensors(path, 2, hasher), /F32 \[4\] in "en", expected token ids/);
    await written(path, { input_ids: u16([1, 2]) });
    await refuses(() => openTokenTensors(path, 2, hasher), /U16 \[2\] in "input_ids"/);
    for (const index of ["{}", '{"format":"babelscope token rows 2"}']) {
      await Deno.writeTextFile(join(folder, "pretokenized.json"), index);
      await refuses(() => openTokenFolder(folder, hasher), /no index of pretokenised rows/);
    }
  }));
