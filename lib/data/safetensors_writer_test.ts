import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { encodeSafetensors } from "../formats/safetensors.ts";
import { writeSafetensors } from "./safetensors_writer.ts";

const A = Float32Array.of(1, -2, 3, 4, 5, 6);
const B = Uint32Array.of(7, 2 ** 32 - 1, 9);

Deno.test("a file written tensor by tensor has the bytes of one written whole", () =>
  withFolder(async (folder) => {
    const path = join(folder, "inside", "file.safetensors");
    const order: string[] = [];
    await writeSafetensors(path, {
      a: { dtype: "F32", shape: [3, 2], read: () => (order.push("a"), A) },
      "b.z": {
        dtype: "U32",
        shape: [3],
        read: () => (order.push("b"), Promise.resolve(new Uint32Array([0, ...B]).subarray(1))),
      },
    }, { format: "pt" });
    const whole = encodeSafetensors({
      a: { dtype: "F32", shape: [3, 2], data: A },
      "b.z": { dtype: "U32", shape: [3], data: B },
    }, { format: "pt" });
    assert.deepEqual(await Deno.readFile(path), whole);
    assert.deepEqual(order, ["a", "b"]);
  }));

Deno.test("a tensor that is not as long as its shape leaves no file", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file.safetensors");
    const short = { dtype: "F32" as const, shape: [3, 3], read: () => A };
    await assert.rejects(writeSafetensors(path, { short }), /short: 24 bytes are not F32 \[3,3\]/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  }));
