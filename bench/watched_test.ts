import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../lib/formats/input_error.ts";
import { withFolder } from "../tests/support/run.ts";
import { NoPeer } from "./peer.ts";
import { watched } from "./watched.ts";

const MIB = 2 ** 20;

/** A program of this Deno. */
function program(source: string, ...args: string[]) {
  return { name: "the program", command: [Deno.execPath(), "eval", source, ...args] };
}

async function usage(source: string) {
  return await withFolderOf((folder) => watched("python3", program(source, folder), folder));
}

async function withFolderOf<T>(body: (folder: string) => Promise<T>): Promise<T> {
  let result: T;
  await withFolder(async (folder) => {
    result = await body(folder);
  });
  return result!;
}

Deno.test("a program's CPU time is its own, not that it slept", async () => {
  const asleep = await usage(`await new Promise((wake) => setTimeout(wake, 600));`);
  const busy = await usage(
    `const until = performance.now() + 600; while (performance.now() < until);`,
  );
  assert.ok(asleep.wallMs >= 600 && busy.wallMs >= 600, `${asleep.wallMs} ${busy.wallMs}`);
  assert.ok(busy.cpuMs > asleep.cpuMs + 200, `busy ${busy.cpuMs} ms, asleep ${asleep.cpuMs} ms`);
});

Deno.test("memory that was given back and files that were deleted count", async () => {
  const idle = await usage("");
  const full = await usage(`
    let data = new Uint8Array(${256 * MIB}).fill(1);
    const file = Deno.args[0] + "/staged";
    Deno.writeFileSync(file, data.subarray(0, ${MIB}));
    data = undefined;
    await new Promise((wake) => setTimeout(wake, 500));
    Deno.removeSync(file);
  `);
  const more = (full.residentBytes - idle.residentBytes) / MIB;
  assert.ok(more > 250 && more < 300, `${more} MiB more`);
  assert.equal(full.diskBytes, MIB);
  assert.equal(idle.diskBytes, 0);
});

Deno.test("a program that fails is quoted, a Python that is not there named", async () => {
  await assert.rejects(usage(`console.error("first\\nlast word"); Deno.exit(3);`), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.message, "the program ended with exit code 3: last word");
    return true;
  });
  const nowhere = join("no", "python");
  await assert.rejects(watched(nowhere, program(""), "."), NoPeer);
});
