/** Reads reference tensors of fixtures as numbers. */
import { openSafetensorsFile } from "../../lib/data/safetensors_files.ts";
import { toFloat32 } from "../../lib/formats/dtype.ts";
import type { TensorSource } from "../../lib/formats/tensor_source.ts";

/** Path of a file of this project. */
export function projectPath(relative: string): string {
  return new URL(`../../${relative}`, import.meta.url).pathname;
}

/** The tensors of a fixture, read whole as f32 or as integers. */
export class Fixture implements Disposable {
  private constructor(readonly tensors: TensorSource & Disposable) {}

  static async open(relative: string): Promise<Fixture> {
    return new Fixture(await openSafetensorsFile(projectPath(relative)));
  }

  async floats(name: string): Promise<Float32Array<ArrayBuffer>> {
    return toFloat32(await this.tensors.read(name), this.tensors.info(name).dtype);
  }

  async integers(name: string): Promise<number[]> {
    const { buffer } = await this.tensors.read(name);
    return this.tensors.info(name).dtype === "I64"
      ? Array.from(new BigInt64Array(buffer), Number)
      : Array.from(new Int32Array(buffer));
  }

  [Symbol.dispose](): void {
    this.tensors[Symbol.dispose]();
  }
}

/** The oracle's tokenised texts of forward.safetensors: names of their tensors, and token ids. */
export function oracleForwardTexts(): { id: string; ids: Uint32Array<ArrayBuffer> }[] {
  const path = projectPath("tests/fixtures/oracle/forward.json");
  const texts: { id: string; ids: number[] }[] = JSON.parse(Deno.readTextFileSync(path));
  return texts.map(({ id, ids }) => ({ id, ids: Uint32Array.from(ids) }));
}
