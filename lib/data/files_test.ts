import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { encodeSafetensors } from "../formats/safetensors.ts";
import {
  openSafetensors,
  openSafetensorsFolder,
  readJson,
  readText,
  sha256File,
  writeAtomic,
} from "./files.ts";

/** Runs a test in a folder of its own. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Expects one sentence that names `path`. */
async function refused(work: Promise<unknown>, path: string, why: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof InputError, String(error.stack));
    assert.ok(error.message.includes(path), error.message);
    assert.match(error.message, why);
    assert.match(error.message, /^[^\n]+\.$/);
    return true;
  });
}

const entries = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("a file is written whole, over the old one, with its folders", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a/b/c.txt");
    await writeAtomic(path, "old");
    await writeAtomic(path, "neü");
    assert.equal(await readText(path), "neü");
    await writeAtomic(path, Uint8Array.of(1, 2));
    assert.deepEqual(Deno.readFileSync(path), Uint8Array.of(1, 2));
    assert.deepEqual(entries(join(folder, "a/b")), ["c.txt"]);
  }));

Deno.test("a write that fails leaves the old file and nothing else", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(join(folder, "taken/x"), { recursive: true });
    await refused(writeAtomic(join(folder, "taken"), "new"), "taken", /^Cannot write /);
    assert.deepEqual(entries(folder), ["taken"]);
    await writeAtomic(join(folder, "file"), "old");
    await refused(writeAtomic(join(folder, "file/x"), "new"), "file/x", /a file, not a folder|wri/);
    assert.equal(await readText(join(folder, "file")), "old");
    assert.deepEqual(entries(folder), ["file", "taken"]);
  }));

Deno.test("a writer that is killed leaves the old file", () =>
  inFolder(async (folder) => {
    const path = join(folder, "big.bin");
    await writeAtomic(path, "old");
    const script = join(folder, "writer.ts");
    const files = new URL("./files.ts", import.meta.url).href;
    Deno.writeTextFileSync(
      script,
      `import { writeAtomic } from ${JSON.stringify(files)};
       for (;;) await writeAtomic(${JSON.stringify(path)}, new Uint8Array(1 << 24).fill(7));`,
    );
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const writer = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", `--config=${config}`, "--allow-read", "--allow-write", script],
      stderr: "inherit",
    }).spawn();
    while (!entries(folder).some((name) => name.endsWith(".part"))) {
      await new Promise((wake) => setTimeout(wake, 1));
    }
    writer.kill("SIGKILL");
    await writer.status;
    const { length } = Deno.readFileSync(path);
    assert.ok(length === 3 || length === 1 << 24, `half-written: ${length} bytes`);
  }));

Deno.test("missing, unfit and damaged files are named", () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await refused(readText(at("none")), at("none"), /it does not exist/);
    await refused(readText(folder), folder, /it is a folder/);
    await refused(sha256File(at("none")), at("none"), /it does not exist/);
    Deno.writeFileSync(at("latin1"), Uint8Array.of(0x66, 0xfc, 0x72));
    await refused(readText(at("latin1")), at("latin1"), /not text in UTF-8/);
    Deno.writeTextFileSync(at("cut.json"), `{"a": [1,`);
    await refused(readJson(at("cut.json")), at("cut.json"), /is not JSON \(/);
    await refused(openSafetensors(at("none")), at("none"), /it does not exist/);
    await refused(openSafetensors(folder), folder, /it is a folder/);
    Deno.writeTextFileSync(at("empty"), "");
    await refused(openSafetensors(at("empty")), at("empty"), /0 bytes long/);
  }));

Deno.test("the hash of a file is its SHA-256", () =>
  inFolder(async (folder) => {
    const path = join(folder, "abc");
    Deno.writeTextFileSync(path, "abc"); // test vector of FIPS 180-2
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(await sha256File(path), abc);
    Deno.writeTextFileSync(path, "a".repeat(1_000_000));
    const million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert.equal(await sha256File(path), million);
  }));

const ramp = (length: number, start = 0) => Uint8Array.from({ length }, (_, i) => start + i);
const bytes = (shape: number[], data: Uint8Array) => ({ dtype: "U8" as const, shape, data });

Deno.test("tensors are read by rows from a file, also many at once", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const file = encodeSafetensors(
      { a: bytes([50, 4], ramp(200)), b: bytes([2], ramp(2, 7)) },
      { format: "pt" },
    );
    Deno.writeFileSync(path, file);
    using tensors = await openSafetensors(path);
    assert.equal(tensors.metadata.format, "pt");
    assert.deepEqual(tensors.names(), ["a", "b"]);
    const rows = await Promise.all(ramp(50).values().map((row) => tensors.read("a", row, row + 1)));
    rows.forEach((row, i) => assert.deepEqual(row, ramp(4, 4 * i)));
    assert.deepEqual(await tensors.read("b"), ramp(2, 7));
    await refused(tensors.read("c"), path, /no tensor "c"/);
    await assert.rejects(tensors.read("a", 0, 51), RangeError);
  }));

Deno.test("a truncated file is refused at once, one that shrinks later when it is read", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const file = encodeSafetensors({ a: bytes([8], ramp(8)) });
    Deno.writeFileSync(path, file.subarray(0, -3));
    await refused(openSafetensors(path), path, /is truncated/);
    Deno.writeFileSync(path, file);
    using tensors = await openSafetensors(path);
    Deno.truncateSync(path, file.length - 3);
    await refused(tensors.read("a"), path, /it ends before byte/);
    assert.deepEqual(await tensors.read("a", 0, 2), ramp(2), "later reads still work");
  }));

Deno.test("a checkpoint is one file or the shards of its index", () =>
  inFolder(async (folder) => {
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
