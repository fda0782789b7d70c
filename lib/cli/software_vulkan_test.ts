import assert from "node:assert/strict";
import { tarFiles } from "./software_vulkan.ts";
import { vulkanDevices } from "./vulkan.ts";

Deno.test("files of an archive made by tar are read whole, folders are not files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/inner`);
    const contents: Record<string, Uint8Array> = {};
    for (const length of [0, 512, 1300]) {
      contents[`bytes-${length}`] = crypto.getRandomValues(new Uint8Array(length));
      await Deno.writeFile(`${folder}/inner/bytes-${length}`, contents[`bytes-${length}`]);
    }
    const args = ["--create", "--format=ustar", "--directory", folder, "inner"];
    const { stdout } = await new Deno.Command("tar", { args }).output();
    const read = [...tarFiles(stdout)].map(({ name, bytes }) => [name, bytes.slice()]);
    assert.deepEqual(Object.fromEntries(read), contents);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a loader that is not there is told from one that finds nothing", () => {
  assert.equal(vulkanDevices("/nonexistent/libvulkan.so.1"), undefined);
});
