import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../lib/formats/input_error.ts";
import { withFolder } from "../tests/support/run.ts";
import { NoPeer } from "./peer.ts";
import { watched } from "./watched.ts";

const MIB = 2 ** 20;

/** Skipped where there is no Python, which the bench measures programs by; .ci/run installs one. */
const measuringTest = await new Deno.Command("python3", { args: ["--version"] }).output()
  .then(() => Deno.test, () => Deno.test.ignore);

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

measuringTest("a program's CPU time is its own, not that it slept", async () => {
  const asleep = await usage(`await new Promise((wake) => setTimeout(wake, 600));`);
  const busy = await usage(`
    import { cpuUsage } from "node:process";
    while (cpuUsage().user < 500_000);
  `);
  assert.ok(asleep.wallMs >= 600, `${asleep.wallMs} ms on the clock`);
  assert.ok(busy.cpuMs >= 500 && asleep.cpuMs < 300, `busy ${busy.cpuMs}, asleep ${asleep.cpuMs}`);
});

measuringTest("memory that was given back and files that were deleted count", async () => {
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

measuringTest("a program that fails is quoted, a Python that is not there named", async () => {
  await assert.rejects(usage(`console.error("first\\nlast word"); Deno.exit(3);`), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.message, "the program ended with exit code 3: last word");
    return true;
  });
  const nowhere = join("no", "python");
  await assert.rejects(watched(nowhere, program(""), "."), NoPeer);
});
