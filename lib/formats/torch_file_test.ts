import assert from "node:assert/strict";
import { join } from "node:path";
import { concat, utf8 } from "../../tests/fuzz/bytes.ts";
import { writeZip } from "../../tests/fuzz/zip_writer.ts";
import { ROOT } from "../../tests/support/run.ts";
import { type ByteSource, memorySource } from "./byte_source.ts";
import { type Dtype, toFloat32 } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { readTorchFile, type TorchValue } from "./torch_file.ts";
import { SparseTensor, TorchTensor } from "./torch_tensor.ts";

const FIXTURES = join(ROOT, "tests/fixtures/torch");

const read = async (file: string) =>
  await readTorchFile(memorySource(await Deno.readFile(join(FIXTURES, file))), file);

const NAMES: Readonly<Record<string, string>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

function numbersOf(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): number[] {
  switch (dtype) {
    case "F64":
      return [...new Float64Array(bytes.buffer)];
    case "I64":
      return [...new BigInt64Array(bytes.buffer)].map(Number);
    case "I32":
      return [...new Int32Array(bytes.buffer)];
    case "I16":
      return [...new Int16Array(bytes.buffer)];
    case "I8":
      return [...new Int8Array(bytes.buffer)];
    case "U8":
    case "BOOL":
      return [...bytes];
    default:
      return [...toFloat32(bytes, dtype)];
  }
}

/** A value in the form in which make_torch_files.py writes what it saved. */
async function plain(value: TorchValue): Promise<unknown> {
  if (value instanceof TorchTensor) {
    const numbers = await plain(numbersOf(await value.read(), value.dtype));
    return { tensor: [`torch.${NAMES[value.dtype]}`, value.shape, numbers] };
  }
  if (value instanceof SparseTensor) {
    return { sparse: [value.shape, await plain(value.indices), await plain(value.values)] };
  }
  if (value instanceof Map) return { dict: await plain([...value]) };
  if (Array.isArray(value)) return await Promise.all(value.map(plain));
  if (typeof value === "bigint") return { bigint: String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { float: Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf" };
  }
  return value;
}

for (const name of ["tensors", "views", "values", "lape_all"]) {
  Deno.test(`${name}.pt holds what PyTorch saved`, async () => {
    const expected = JSON.parse(await Deno.readTextFile(join(FIXTURES, `${name}.json`)));
    assert.deepEqual(await plain(await read(`${name}.pt`)), expected);
  });
}

Deno.test("every protocol gives the same value", async () => {
  const expected = await plain(await read("values.pt"));
  for (const protocol of [3, 4, 5]) {
    assert.deepEqual(await plain(await read(`values_${protocol}.pt`)), expected);
  }
});

Deno.test("rows of a tensor are rows of the whole, whatever its strides", async () => {
  const views = await read("views.pt");
  assert.ok(views instanceof Map);
  for (const [name, view] of views) {
    assert.ok(view instanceof TorchTensor);
    const whole = await view.read();
    const rows = view.shape[0] ?? 1;
    const rowBytes = rows === 0 ? 0 : whole.length / rows;
    for (let from = 0; from <= rows; from++) {
      const to = Math.min(rows, from + 2);
      const part: Uint8Array = await view.read(from, to);
      assert.deepEqual(part, whole.slice(from * rowBytes, to * rowBytes), `${name} ${from}:${to}`);
    }
    await assert.rejects(view.read(0, rows + 1), RangeError);
    await assert.rejects(view.read(-1), RangeError);
  }
});

Deno.test("tensors that are not asked for are not read", async () => {
  const bytes = await Deno.readFile(join(FIXTURES, "lape_all.pt"));
  const ranges: [number, number][] = [];
  const source: ByteSource = {
    size: bytes.length,
    async read(begin, end) {
      ranges.push([begin, end]);
      return await memorySource(bytes).read(begin, end);
    },
  };
  await readTorchFile(source, "lape_all.pt");
  // start, end records, directory, and header, name and content of data.pkl and byteorder
  assert.ok(ranges.length <= 10, `${ranges.length} reads`);
});

/** What each hostile file is refused for; calls are refused in every protocol. */
const HOSTILE: Readonly<Record<string, RegExp>> = {
  os_system_2: /asks for "posix\.system", which is not among what tensors need/,
  os_system_4: /asks for "posix\.system"/,
  eval_2: /asks for "__builtin__\.eval"/,
  eval_4: /asks for "builtins\.eval"/,
  getattr_2: /asks for "__builtin__\.getattr"/,
  getattr_4: /asks for "builtins\.getattr"/,
  torch_load_2: /asks for "torch\.serialization\.load"/,
  torch_load_4: /asks for "torch\.serialization\.load"/,
  numpy_scalar_2: /asks for "numpy\._core\.multiarray\.scalar"/,
  numpy_scalar_4: /asks for "numpy\._core\.multiarray\.scalar"/,
  bytes_2: /asks for "_codecs\.encode"/,
  bytes_4: /opcode 0x43/,
  set_2: /asks for "__builtin__\.set"/,
  set_4: /opcode 0x8f/,
  module_object_2: /asks for "torch\.nn\.modules\.linear\.Linear"/,
  module_object_4: /asks for "torch\.nn\.modules\.linear\.Linear"/,
  class_2: /asks for "copy_reg\._reconstructor"|asks for "__main__\.Stateful"/,
  class_4: /asks for "__main__\.Stateful"/,
  dtype: /asks for "torch\.float32"/,
  memo_loop: /contains itself/,
  dict_loop: /contains itself/,
  deep: /nests deeper than 100/,
  laughs: /spells out more than 20000000 values/,
  huge_text: /is cut off/,
  huge_text8: /is cut off/,
  huge_number: /a number of 2147483647 bytes/,
  huge_frame: /is cut off/,
  missing_memo: /recalls value 7/,
  empty_stack: /takes more from its stack/,
  pop_past_mark: /takes more from its stack/,
  no_mark: /a mark that is not there/,
  two_values: /something follows/,
  no_stop: /is cut off/,
  after_stop: /something follows/,
  odd_items: /an item without a value/,
  list_key: /neither a text nor a number/,
  append_to_number: /appends to what is no list/,
  item_of_list: /an item of what is no dict/,
  reduce_text: /calls what cannot be called/,
  reduce_storage: /calls what cannot be called/,
  bare_storage: /holds a storage, which is no value/,
  bare_global: /holds "collections\.OrderedDict", which is no value/,
  build_list: /a state to what has none/,
  newobj: /opcode 0x81/,
  inst: /opcode 0x69/,
  ext: /opcode 0x82/,
  protocol_0_text: /opcode 0x49/,
  not_utf8: /not UTF-8/,
  endless_name: /has no end/,
  dotted: /asks for "collections\.OrderedDict\.__init__/,
  stack_global_number: /names a global by what is no text/,
  not_a_storage: /builds a reference in a way that PyTorch does not/,
  unknown_storage: /asks for "torch\.UntypedStorage"/,
  missing_storage: /4 F32 elements in "archive\/data\/9", which is not there/,
  outside_key: /in "archive\/data\/\.\.\/data\.pkl", which is not there/,
  wrong_numel: /400 F32 elements in "archive\/data\/0", which has 16 bytes/,
  negative_numel: /builds a reference/,
  past_the_end: /\[2,2\] that reaches beyond the 4 elements/,
  negative_offset: /builds a tensor/,
  negative_stride: /builds a tensor/,
  wide_stride: /builds a tensor/,
  huge_size: /builds a tensor/,
  repeated: /reaches beyond/,
  more_strides: /reaches beyond/,
  many_dimensions: /reaches beyond/,
  protocol_1: /does not start with its protocol/,
  protocol_9: /its protocol is 9, expected 2 to 5/,
  big_endian: /byte order "big", expected "little"/,
  two_pickles: /with 2 entries data\.pkl, expected the one/,
  torchscript: /is a TorchScript program/,
  plain: /is a plain pickle, which is a program and is not run/,
  legacy: /is in the format of PyTorch before 1\.6/,
  text: /is no ZIP archive; expected a file of torch\.save/,
  empty: /is no ZIP archive/,
};

Deno.test("every hostile file has its expectation", async () => {
  const files = await Array.fromAsync(Deno.readDir(join(FIXTURES, "hostile")));
  const names = files.map(({ name }) => name.replace(/\.\w+$/, ""));
  assert.deepEqual(names.sort(), Object.keys(HOSTILE).sort());
});

for (const [name, message] of Object.entries(HOSTILE)) {
  const file = `hostile/${name}.${name === "plain" ? "pkl" : "pt"}`;
  Deno.test(`refused: ${name}`, () =>
    assert.rejects(read(file), (error: Error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /^hostile\/[^\n]*\.$/);
      return true;
    }));
}

Deno.test("a tensor keeps the sizes that were checked, whatever its pickle then does to them", async () => {
  const pickle = concat(
    [0x80, 2],
    utf8("ctorch._utils\n_rebuild_tensor_v2\n(("),
    utf8("X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ"),
    // offset 0, sizes [4], which are kept, strides (1,)
    utf8("K\0]q\0K\x04aK\x01"),
    [0x85],
    utf8("tR"),
    // the list of sizes becomes [4, 255, 255]
    utf8("h\0(K"),
    [255],
    utf8("K"),
    [255],
    utf8("e0."),
  );
  const entry = (name: string, data: Uint8Array<ArrayBuffer>) => ({
    name: `a/${name}`,
    data,
    deflated: false,
  });
  const { bytes } = writeZip([
    entry("data.pkl", pickle),
    entry("data/0", new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer)),
  ]);
  const tensor = await readTorchFile(memorySource(bytes), "a.pt");
  assert.ok(tensor instanceof TorchTensor);
  assert.deepEqual(tensor.shape, [4]);
  assert.deepEqual(numbersOf(await tensor.read(), "F32"), [1, 2, 3, 4]);
});
