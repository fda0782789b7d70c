import assert from "node:assert/strict";
import { join } from "node:path";
import { refused } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { encodeSafetensors } from "../formats/safetensors.ts";
import { writeAtomic } from "./files.ts";
import { openSafetensorsFile, openSafetensorsFolder } from "./safetensors_files.ts";

const ramp = (length: number, start = 0) => Uint8Array.from({ length }, (_, i) => start + i);
const bytes = (shape: number[], data: Uint8Array) => ({ dtype: "U8" as const, shape, data });

Deno.test("tensors are read by rows from a file, also many at once", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const file = encodeSafetensors(
      { a: bytes([50, 4], ramp(200)), b: bytes([2], ramp(2, 7)) },
      { format: "pt" },
    );
    Deno.writeFileSync(path, file);
    using tensors = await openSafetensorsFile(path);
    assert.equal(tensors.metadata.format, "pt");
    assert.deepEqual(tensors.names(), ["a", "b"]);
    const rows = await Promise.all(ramp(50).values().map((row) => tensors.read("a", row, row + 1)));
    rows.forEach((row, i) => assert.deepEqual(row, ramp(4, 4 * i)));
    assert.deepEqual(await tensors.read("b"), ramp(2, 7));
    await refused(tensors.read("c"), path, /no tensor "c"/);
    await assert.rejects(tensors.read("a", 0, 51), RangeError);
  }));

Deno.test("a truncated file is refused at once, one that shrinks later when it is read", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const file = encodeSafetensors({ a: bytes([8], ramp(8)) });
    Deno.writeFileSync(path, file.subarray(0, -3));
    await refused(openSafetensorsFile(path), path, /is truncated/);
    Deno.writeFileSync(path, file);
    using tensors = await openSafetensorsFile(path);
    Deno.truncateSync(path, file.length - 3);
    await refused(tensors.read("a"), path, /it ends before byte/);
    assert.deepEqual(await tensors.read("a", 0, 2), ramp(2), "later reads still work");
  }));

Deno.test("a checkpoint is one file or the shards of its index", () =>
  withFolder(async (folder) => {
    const put = (name: string, content: Uint8Array | string) =>
      writeAtomic(join(folder, name), content);
    await refused(openSafetensorsFolder(join(folder, "none")), "none", /does not exist/);
    await refused(openSafetensorsFolder(folder), folder, /holds no weights: .* found nothing/);
    await put("m-1.safetensors", encodeSafetensors({ a: bytes([1], ramp(1, 1)) }));
    await put("m-2.safetensors", encodeSafetensors({ b: bytes([2], ramp(2, 2)) }));
    const index = (map: unknown) =>
      put("model.safetensors.index.json", JSON.stringify({ weight_map: map }));

    await index({ b: "m-2.safetensors", a: "m-1.safetensors" });
    {
      using tensors = await openSafetensorsFolder(folder);
      assert.deepEqual(tensors.names(), ["b", "a"]);
      assert.deepEqual(await tensors.read("a"), ramp(1, 1));
      assert.deepEqual(await tensors.read("b", 1), ramp(1, 3));
      assert.deepEqual(tensors.info("b").shape, [2]);
      await refused(tensors.read("c"), "index.json", /names no tensor "c"/);
    }
    const outside = [
      "../m-1.safetensors",
      "/m-1.safetensors",
      "..",
      "a\\b.safetensors",
      "m.bin",
      1,
    ];
    for (const file of outside) {
      await index({ a: file });
      await refused(
        openSafetensorsFolder(folder),
        "index.json",
        /expected the name of a .safetens/,
      );
    }
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    await put("model.safetensors.index.json", `{"weight_map": {"a": ${deep}}}`);
    await refused(openSafetensorsFolder(folder), "index.json", /tensor "a" in object, expected/);
    await index({ b: "m-1.safetensors" });
    await refused(openSafetensorsFolder(folder), "m-1.safetensors", /no tensor "b"/);
    await index({ a: "m-3.safetensors" });
    await refused(openSafetensorsFolder(folder), "m-3.safetensors", /does not exist/);
    await index(undefined);
    await refused(openSafetensorsFolder(folder), "index.json", /no weight_map/);

    await put("model.safetensors", encodeSafetensors({ c: bytes([1], ramp(1)) }));
    using single = await openSafetensorsFolder(folder);
    assert.deepEqual(single.names(), ["c"]);
  }));

Deno.test("files that are missing, folders and empty files are named", () =>
  withFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await refused(openSafetensorsFile(at("none")), at("none"), /it does not exist/);
    await refused(openSafetensorsFile(folder), folder, /it is a folder/);
    Deno.writeTextFileSync(at("empty"), "");
    await refused(openSafetensorsFile(at("empty")), at("empty"), /0 bytes long/);
  }));
