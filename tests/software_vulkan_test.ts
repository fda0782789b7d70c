import assert from "node:assert/strict";
import { vulkanDevices } from "../lib/cli/vulkan.ts";
import {
  babelscope,
  type Outcome,
  type Place,
  ROOT,
  runCommand,
  withFolder,
} from "./support/run.ts";

const SQUARES = [
  "deno",
  "run",
  "--quiet",
  "--allow-ffi",
  "--allow-env",
  "--allow-read",
  "--allow-write",
  `${ROOT}tests/support/squares.ts`,
];

const EXPECTED = Array.from({ length: 1024 }, (_, i) => i * i);

function withoutDriver(place: Place = {}): Promise<Outcome> {
  return runCommand(`${ROOT}tests/support/without_vulkan.sh`, SQUARES, place);
}

const maskable =
  (await runCommand("unshare", ["--mount", "true"]).catch(() => undefined))?.code === 0;

Deno.test("a driver of the machine is preferred, named, and no word is lost on it", async () => {
  const { code, stdout, stderr } = await runCommand(SQUARES[0], SQUARES.slice(1));
  assert.equal(code, 0, stderr);
  const { description, driver, squares, note } = JSON.parse(stdout);
  assert.deepEqual(squares, EXPECTED);
  const [device] = vulkanDevices() ?? [];
  if (device === undefined) {
    assert.match(note, /^No Vulkan driver found/);
  } else {
    assert.equal(stderr, "");
    assert.doesNotMatch(description, /SwiftShader/);
    assert.ok(vulkanDevices()!.some(({ name }) => name === description), description);
    assert.notEqual(driver, "");
  }
});

Deno.test("the bundled software Vulkan computes correctly and says what is faster", async () => {
  const env = { BABELSCOPE_ADAPTER: "software" };
  const { code, stdout, stderr } = await runCommand(SQUARES[0], SQUARES.slice(1), { env });
  assert.equal(code, 0, stderr);
  const { description, driver, software, squares, note } = JSON.parse(stdout);
  assert.match(description, /SwiftShader/);
  assert.match(driver, /^SwiftShader of @sparticuz\/chromium \d+\.\d+\.\d+$/);
  assert.equal(software, true);
  assert.deepEqual(squares, EXPECTED);
  assert.equal(stderr, `${note}\n`);
  assert.match(note, /bundled software Vulkan.* slower than .*mesa-vulkan-drivers/);
});

Deno.test({
  name: "a machine with a driver does not fetch the bundled one",
  ignore: (vulkanDevices() ?? []).length === 0,
  async fn() {
    await withFolder(async (folder) => {
      const { code, stderr } = await babelscope(["doctor"], { env: { DENO_DIR: folder } });
      assert.equal(code, 0, stderr);
      const registries = await names(`${folder}/npm`);
      const packages = await names(`${folder}/npm/${registries[0]}`);
      assert.ok(packages.includes("commander"), packages.join());
      assert.ok(!packages.includes("@sparticuz"), packages.join());
    });
  },
});

Deno.test({
  name: "without loader, driver and OpenGL the bundled one is brought up",
  ignore: !maskable, // Hiding the drivers takes root.
  async fn() {
    const { code, stdout, stderr } = await withoutDriver();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^No Vulkan driver found: using the bundled software Vulkan .*\n$/);
    const { description, squares } = JSON.parse(stdout);
    assert.match(description, /SwiftShader/);
    assert.deepEqual(squares, EXPECTED);
  },
});

Deno.test("a loader that finds no driver is no driver", async () => {
  const env = { VK_DRIVER_FILES: "/nonexistent.json", VK_ICD_FILENAMES: "/nonexistent.json" };
  const { code, stdout, stderr } = await runCommand(SQUARES[0], SQUARES.slice(1), { env });
  assert.equal(code, 0, stderr);
  assert.match(JSON.parse(stdout).description, /SwiftShader/);
});

Deno.test("the bundled driver is unpacked once, also by two processes at a time", async () => {
  await withFolder(async (cache) => {
    // Deno's own cache stays where it is: only the unpacked driver is to be new.
    const env = {
      BABELSCOPE_ADAPTER: "software",
      XDG_CACHE_HOME: cache,
      DENO_DIR: await denoFolder(),
    };
    const run = () => runCommand(SQUARES[0], SQUARES.slice(1), { env });
    for (const { code, stderr } of await Promise.all([run(), run()])) assert.equal(code, 0, stderr);
    const unpacked = await names(`${cache}/babelscope`);
    assert.equal(unpacked.length, 1);
    assert.match(unpacked[0], /^swiftshader-\d+\.\d+\.\d+$/);
    const folder = `${cache}/babelscope/${unpacked[0]}`;
    assert.deepEqual(await names(folder), [
      "libvk_swiftshader.so",
      "libvulkan.so.1",
      "swiftshader_icd.json",
    ]);
    const before = await Deno.stat(folder);
    assert.equal((await run()).code, 0);
    assert.deepEqual((await Deno.stat(folder)).mtime, before.mtime);
  });
});

Deno.test("a cache folder that cannot be written is one sentence", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const env = {
      BABELSCOPE_ADAPTER: "software",
      XDG_CACHE_HOME: `${folder}/file`,
      DENO_DIR: await denoFolder(),
    };
    const { code, stderr } = await runCommand(`${ROOT}scripts/doctor.ts`, [], { env });
    assert.equal(code, 2);
    assert.match(stderr.trimEnd().split("\n").at(-1)!, /^babelscope doctor: .*XDG_CACHE_HOME/);
  });
});

Deno.test("an unknown BABELSCOPE_ADAPTER is one sentence", async () => {
  const env = { BABELSCOPE_ADAPTER: "cuda" };
  const { code, stderr } = await runCommand(`${ROOT}scripts/doctor.ts`, [], { env });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^babelscope doctor: BABELSCOPE_ADAPTER is "cuda", expected "software".*\n$/,
  );
});

async function denoFolder(): Promise<string> {
  const { stdout } = await runCommand("deno", ["info", "--json"]);
  return JSON.parse(stdout).denoDir;
}

async function names(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
