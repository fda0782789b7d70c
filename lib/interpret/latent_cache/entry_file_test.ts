import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../../tests/support/run.ts";
import { openSafetensorsFile } from "../../data/safetensors_files.ts";
import { EntryFile } from "./entry_file.ts";

for (const [row, dtype] of [[65_535, "U16"], [65_536, "U32"]] as const) {
  Deno.test(`a location ${row} is written as ${dtype}`, () =>
    withFolder(async (folder) => {
      const path = join(folder, "0_9.safetensors");
      using file = await EntryFile.open(`${path}.part`, 0);
      file.add({ row, position: 3, latent: 7 }, 1.5);
      await file.finish(path, undefined);
      using tensors = await openSafetensorsFile(path);
      assert.equal(tensors.info("locations").dtype, dtype);
      const { buffer } = await tensors.read("locations");
      const numbers = dtype === "U16" ? new Uint16Array(buffer) : new Uint32Array(buffer);
      assert.deepEqual([...numbers], [row, 3, 7]);
    }));
}
