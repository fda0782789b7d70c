import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../../tests/support/run.ts";
import { openTorchFile } from "./torch_files.ts";

const FIXTURES = join(ROOT, "tests/fixtures/torch");

Deno.test("a state dict is read from its open file", async () => {
  using tensors = await openTorchFile(join(FIXTURES, "tensors.pt"));
  assert.equal(tensors.names().length, 10);
  assert.deepEqual(await tensors.readColumns("int8", 1, 3), new Uint8Array([0, 3, 5, 100]));
  assert.deepEqual(await tensors.read("bool", 1), new Uint8Array([1, 1, 1]));
});

Deno.test({
  name: "a file that is refused is closed",
  sanitizeResources: true,
  async fn() {
    const hostile = join(FIXTURES, "hostile/os_system_2.pt");
    await assert.rejects(openTorchFile(hostile), /asks for "posix\.system"/);
    await assert.rejects(openTorchFile(join(FIXTURES, "no.pt")), /does not exist/);
  },
});
