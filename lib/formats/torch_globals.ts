/**
 * The globals that a file of torch.save may name: storages by their element type, and the few
 * functions that tensors, dicts, sizes and devices are built by. Each of them is written here; none
 * is Python's.
 *
 * Format: torch/_utils.py and torch/serialization.py of PyTorch 2.6
 */

import type { Dtype } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { Global, type PickleContext, type PickleValue } from "./pickle.ts";
import { SparseTensor, TorchStorage, TorchTensor } from "./torch_tensor.ts";

/** What pickles of torch.save may use. */
export type TorchContext = PickleContext<TorchTensor | SparseTensor>;
type Value = PickleValue<TorchTensor | SparseTensor>;

/** Element types by the names of PyTorch's storages. */
const STORAGES: ReadonlyMap<string, Dtype> = new Map([
  ["torch.DoubleStorage", "F64"],
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

/** A storage as the pickle names it. */
export interface StorageReference {
  readonly key: string;
  readonly dtype: Dtype;
  /** Number of elements. */
  readonly length: number;
}

/**
 * What a persistent id says: ("storage", type, key, device, number of elements).
 *
 * @throws InputError when it says something else
 */
export function storageReference(id: Value, where: string): StorageReference {
  const [kind, type, key, , length] = Array.isArray(id) ? id : [];
  const dtype = type instanceof Global ? STORAGES.get(type.name) : undefined;
  if (kind === "storage" && dtype && typeof key === "string" && isSize(length)) {
    return { key, dtype, length };
  }
  throw unknown("reference", where);
}

/**
 * Constructors by the names of PyTorch's own; storages are only named.
 *
 * @param where names the file in messages
 */
export function torchGlobals(where: string): TorchContext["globals"] {
  const constructors = {
    "collections.OrderedDict": orderedDict,
    "torch._utils._rebuild_tensor_v2": rebuildTensor,
    "torch._utils._rebuild_parameter": rebuildParameter,
    "torch._utils._rebuild_sparse_tensor": rebuildSparseTensor,
    "torch.serialization._get_layout": layout,
    "torch.Size": size,
    "torch.device": device,
  };
  return new Map([
    ...[...STORAGES.keys()].map((name) => [name, null] as const),
    ...Object.entries(constructors).map(([name, construct]) =>
      [name, (args: readonly Value[]) => construct(args, where)] as const
    ),
  ]);
}

/** Items are set later, one by one. */
function orderedDict(args: readonly Value[], where: string): Value {
  if (args.length > 0) throw unknown("dict", where);
  return new Map();
}

/** (storage, offset, shape, strides, requires_grad, hooks) */
function rebuildTensor(
  [storage, offset, shape, strides]: readonly Value[],
  where: string,
): TorchTensor {
  const valid = storage instanceof TorchStorage && isSize(offset) && isSizes(shape) &&
    isSizes(strides);
  if (!valid) throw unknown("tensor", where);
  // copies: the pickle may go on changing its own lists
  return new TorchTensor(storage, [...shape], [...strides], offset, where);
}

/** (tensor, requires_grad, hooks) */
function rebuildParameter([data]: readonly Value[], where: string): TorchTensor {
  if (data instanceof TorchTensor) return data;
  throw unknown("parameter", where);
}

/** (layout, (indices, values, shape, is_coalesced)) */
function rebuildSparseTensor([layout, parts]: readonly Value[], where: string): SparseTensor {
  if (layout !== "torch.sparse_coo" || !Array.isArray(parts)) {
    const found = typeof layout === "string" ? layout : "none";
    throw new InputError(
      `${where} has a sparse tensor of layout ${JSON.stringify(found)}, expected ` +
        `"torch.sparse_coo"; save .to_sparse_coo() of it.`,
    );
  }
  const [indices, values, shape] = parts;
  const valid = indices instanceof TorchTensor && values instanceof TorchTensor && isSizes(shape);
  if (!valid) throw unknown("sparse tensor", where);
  return new SparseTensor([...shape], indices, values, where);
}

function layout([name]: readonly Value[], where: string): Value {
  if (typeof name === "string") return name;
  throw unknown("layout", where);
}

function size([sizes]: readonly Value[], where: string): Value {
  if (isSizes(sizes)) return sizes;
  throw unknown("size", where);
}

/** "cpu", or "cuda:0" of a type and an index. */
function device([type, index]: readonly Value[], where: string): Value {
  if (typeof type === "string" && index === undefined) return type;
  if (typeof type === "string" && isSize(index)) return `${type}:${index}`;
  throw unknown("device", where);
}

function isSize(value: Value | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: Value): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}

function unknown(what: string, where: string): InputError {
  return new InputError(
    `${where} builds a ${what} in a way that PyTorch does not; fetch it again.`,
  );
}
