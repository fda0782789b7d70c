import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { codeHash, versions, writeManifest } from "./manifest.ts";

Deno.test("the code hash tells rooms apart, whatever their order", async () => {
  const both = await codeHash(["lib/formats", "lib/lape"]);
  assert.match(both, /^[0-9a-f]{64}$/);
  assert.equal(await codeHash(["lib/lape", "lib/formats", "lib/lape"]), both);
  assert.notEqual(await codeHash(["lib/formats"]), both);
  await assert.rejects(codeHash(["lib/none"]), InputError);
});

Deno.test("the code hash follows a kernel's change, but not a test's or a page's", async () => {
  const root = await Deno.makeTempDir();
  const put = (file: string, text: string) => Deno.writeTextFile(join(root, "room", file), text);
  await Deno.mkdir(join(root, "room/inner"), { recursive: true });
  await put("a.ts", "1");
  await put("inner/b.wgsl", "1");
  const first = await codeHash(["room"], root);
  await put("a_test.ts", "1");
  await put("README.md", "1");
  assert.equal(await codeHash(["room"], root), first);
  await put("inner/b.wgsl", "2");
  assert.notEqual(await codeHash(["room"], root), first);
  await Deno.remove(root, { recursive: true });
});

Deno.test("versions are the program's and Deno's", () => {
  const { babelscope, deno, v8, typescript } = versions();
  assert.match(babelscope, /^\d+\.\d+\.\d+$/);
  assert.deepEqual({ deno, v8, typescript }, { ...Deno.version });
});

Deno.test("a manifest is JSON that a person can read", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "run/run.json");
  await writeManifest(path, { options: { top: 1 } });
  assert.equal(Deno.readTextFileSync(path), '{\n  "options": {\n    "top": 1\n  }\n}\n');
  await Deno.remove(folder, { recursive: true });
});
