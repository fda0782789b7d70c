import assert from "node:assert/strict";
import { join } from "node:path";
import { refused } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { readJson, readText, sha256File, writeAtomic } from "./files.ts";

const entries = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("a file is written whole, over the old one, with its folders", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a/b/c.txt");
    await writeAtomic(path, "old");
    await writeAtomic(path, "neü");
    assert.equal(await readText(path), "neü");
    await writeAtomic(path, Uint8Array.of(1, 2));
    assert.deepEqual(Deno.readFileSync(path), Uint8Array.of(1, 2));
    assert.deepEqual(entries(join(folder, "a/b")), ["c.txt"]);
  }));

Deno.test("a write that fails leaves the old file and nothing else", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(join(folder, "taken/x"), { recursive: true });
    await refused(writeAtomic(join(folder, "taken"), "new"), "taken", /^Cannot write /);
    assert.deepEqual(entries(folder), ["taken"]);
    await writeAtomic(join(folder, "file"), "old");
    await refused(writeAtomic(join(folder, "file/x"), "new"), "file/x", /a file, not a folder|wri/);
    assert.equal(await readText(join(folder, "file")), "old");
    assert.deepEqual(entries(folder), ["file", "taken"]);
  }));

Deno.test("a writer that is killed leaves the old file", () =>
  withFolder(async (folder) => {
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
  withFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await refused(readText(at("none")), at("none"), /it does not exist/);
    await refused(readText(folder), folder, /it is a folder/);
    await refused(sha256File(at("none")), at("none"), /it does not exist/);
    Deno.writeFileSync(at("latin1"), Uint8Array.of(0x66, 0xfc, 0x72));
    await refused(readText(at("latin1")), at("latin1"), /not text in UTF-8/);
    Deno.writeTextFileSync(at("cut.json"), `{"a": [1,`);
    await refused(readJson(at("cut.json")), at("cut.json"), /is not JSON \(/);
  }));

Deno.test("the hash of a file is its SHA-256", () =>
  withFolder(async (folder) => {
    const path = join(folder, "abc");
    Deno.writeTextFileSync(path, "abc"); // test vector of FIPS 180-2
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(await sha256File(path), abc);
    Deno.writeTextFileSync(path, "a".repeat(1_000_000));
    const million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert.equal(await sha256File(path), million);
  }));
