#!/usr/bin/env -S deno run --allow-read --allow-write
/**
 * Copies the SAE folders of a training with their tensors rounded to bf16, half the size:
 *
 *     deno run --allow-read --allow-write assets/demo/to_bf16.ts checkpoints/embedded assets/demo/sae-trained
 */
import { dirname, join } from "node:path";
import { readBytes, writeAtomic } from "../../lib/data/files.ts";
import { openSafetensorsFile } from "../../lib/data/safetensors_files.ts";
import { type LazyTensor, writeSafetensors } from "../../lib/data/safetensors_writer.ts";
import { floatToBf16Bits, toFloat32 } from "../../lib/formats/dtype.ts";

const [from, to] = Deno.args;
if (to === undefined) throw new Error("Usage: to_bf16.ts <folder of a training> <folder to write>");

for await (const { name, isDirectory } of Deno.readDir(from)) {
  if (!isDirectory || !name.startsWith("layers.")) continue;
  await copyRounded(join(from, name, "sae.safetensors"), join(to, name, "sae.safetensors"));
  await writeAtomic(join(to, name, "cfg.json"), await readBytes(join(from, name, "cfg.json")));
}

async function copyRounded(from: string, to: string): Promise<void> {
  using file = await openSafetensorsFile(from);
  const tensors: Record<string, LazyTensor> = {};
  for (const name of file.names()) {
    const { dtype, shape } = file.info(name);
    const values = floatToBf16Bits(toFloat32(await file.read(name), dtype, name));
    tensors[name] = { dtype: "BF16", shape, read: () => values };
  }
  await Deno.mkdir(dirname(to), { recursive: true });
  await writeSafetensors(to, tensors, { format: "pt" });
}
