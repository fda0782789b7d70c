/** A state dict of a .pt file as a source of tensors, so that weights are read alike from any format. */

import { DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import {
  columnRange,
  rowRange,
  type TensorInfo,
  tensorInfo,
  type TensorSource,
} from "./tensor_source.ts";
import type { TorchValue } from "./torch_file.ts";
import { TorchTensor } from "./torch_tensor.ts";

/**
 * The tensors of a dict by their names; entries that are no dense tensors are left out. Offsets of a
 * tensor's info count from its own first element.
 *
 * @param value what readTorchFile gives
 * @param where names the file in messages
 * @throws InputError when it is no dict with tensors
 */
export function stateDict(value: TorchValue, where: string): TensorSource {
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of value instanceof Map ? value : []) {
    if (typeof name === "string" && tensor instanceof TorchTensor) tensors.set(name, tensor);
  }
  if (tensors.size > 0) return new TorchTensors(tensors, where);
  throw new InputError(
    `${where} holds no dict of tensors by name; save the model's state_dict() in it.`,
  );
}

class TorchTensors implements TensorSource {
  readonly metadata = Object.create(null) as Record<string, string>;
  readonly #infos: ReadonlyMap<string, TensorInfo>;

  constructor(readonly tensors: ReadonlyMap<string, TorchTensor>, readonly where: string) {
    this.#infos = new Map([...tensors].map(([name, tensor]) => [name, infoOf(tensor)]));
  }

  names() {
    return [...this.tensors.keys()];
  }

  info(name: string) {
    return tensorInfo(this.#infos, name, this.where);
  }

  async read(name: string, rowStart?: number, rowEnd?: number) {
    rowRange(name, this.info(name), rowStart, rowEnd);
    return await this.#tensor(name).read(rowStart, rowEnd);
  }

  async readColumns(name: string, from: number, to: number) {
    const { rows, bytes } = columnRange(name, this.info(name), from, to);
    if (rows * bytes === 0) return new Uint8Array();
    const { storage, strides, offset } = this.#tensor(name);
    const [, across] = strides;
    const begin = offset + from * across;
    const columns = new TorchTensor(storage, [rows, to - from], strides, begin, this.where);
    // those of a transposed matrix lie together; else a span over all rows is most of the matrix
    if (across !== 1) return await columns.read();
    const block = new Uint8Array(rows * bytes);
    for (let row = 0; row < rows; row++) block.set(await columns.read(row, row + 1), row * bytes);
    return block;
  }

  #tensor(name: string): TorchTensor {
    return this.tensors.get(name) as TorchTensor;
  }
}

function infoOf({ dtype, shape }: TorchTensor): TensorInfo {
  const elements = shape.reduce((product, size) => product * size, 1);
  return { dtype, shape, begin: 0, end: elements * DTYPE_BYTES[dtype] };
}
