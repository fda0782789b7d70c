import assert from "node:assert/strict";
import { refused } from "../../tests/support/refusals.ts";
import { filesUnder } from "../../tests/support/folders.ts";
import { withFolder } from "../../tests/support/run.ts";
import { claimFolder } from "./folder_claim.ts";

/** Claims a folder in a process of its own, says so, and waits to be killed. */
const HOLDER = `
import { claimFolder } from ${JSON.stringify(new URL("./folder_claim.ts", import.meta.url).href)};
using claim = await claimFolder(Deno.args[0]);
console.log("claimed");
await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

Deno.test("a folder is made and claimed by one run at a time", () =>
  withFolder(async (parent) => {
    const folder = `${parent}/results/deep`;
    {
      using _claim = await claimFolder(folder);
      await refused(
        claimFolder(folder),
        folder,
        /^Another run of babelscope works in .*results\/deep; wait/,
      );
    }
    assert.deepEqual(await filesUnder(parent), []);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(parent)), [], "made for nothing");
    {
      using _again = await claimFolder(folder);
      await Deno.writeTextFile(`${folder}/result`, "");
    }
    assert.deepEqual(await filesUnder(parent), ["results/deep/result"]);
    await Deno.remove(`${folder}/result`);
    {
      using _third = await claimFolder(folder);
    }
    assert.ok((await Deno.stat(folder)).isDirectory, "it was there before");
  }));

Deno.test("another process is refused, and a killed one lets go", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/holder.ts`, HOLDER);
    const holder = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-write", `${folder}/holder.ts`, folder],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = holder.stdout.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "claimed\n");
    await refused(claimFolder(folder), folder, /^Another run of babelscope works in/);
    holder.kill("SIGKILL");
    await holder.status;
    await reader.cancel();
    using _claim = await claimFolder(folder);
  }));

Deno.test("a folder that cannot be written is refused before any work", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await refused(
      claimFolder(`${folder}/file/results`),
      folder,
      /^Cannot write .*; choose a place/,
    );
  }));
