/**
 * Python pickles that hold data only. A pickle is a program for a small stack machine, and in Python
 * its GLOBAL and REDUCE call whatever they name. Here they reach only the constructors that the
 * caller lists: nothing else is ever called, looked up or built, and every bound is checked before
 * memory is taken.
 *
 * Format: https://github.com/python/cpython/blob/3.13/Lib/pickletools.py, protocols 2 to 5
 */

import { InputError } from "./input_error.ts";

/** Longest pickle that is read, in bytes. */
export const MAX_PICKLE_BYTES = 64 * 2 ** 20;
/** Most lists, tuples, dicts and constructed values of a pickle, and most entries of its memo. */
export const MAX_OBJECTS = 2_000_000;
/** Most values on the stack at a time. */
export const MAX_STACK = 4_000_000;
/** Deepest nesting of the result. */
export const MAX_DEPTH = 100;
/** Most values of the result, those that occur in several places counted at each. */
export const MAX_VALUES = 20_000_000;

/** Longest module or name of a global, and longest whole number, in bytes. */
const MAX_GLOBAL_BYTES = 256;
const MAX_INTEGER_BYTES = 1024;

/** What constructors take but no result may hold: a global by its name, or what a caller adds. */
export abstract class Ingredient {
  /** Names it in messages. */
  abstract readonly description: string;
}

/** A global of the caller's list: `os.system` would be one of another list. */
export class Global extends Ingredient {
  constructor(readonly name: string) {
    super();
  }

  get description() {
    return JSON.stringify(this.name);
  }
}

/** A value that a pickle builds; `T` is what constructors make. Tuples are arrays, dicts are maps. */
export type PickleValue<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Ingredient
  | PickleValue<T>[]
  | Map<PickleValue<T>, PickleValue<T>>
  | T;

/** What a pickle may use. */
export interface PickleContext<T> {
  /**
   * Globals by `module.name`: a function of the arguments, or null for one that is only named. A
   * constructor says what it does not accept by an InputError.
   */
  readonly globals: ReadonlyMap<
    string,
    ((args: readonly PickleValue<T>[]) => PickleValue<T>) | null
  >;
  /** The value of a persistent id: of something that lies outside the pickle. */
  persistent(id: PickleValue<T>): PickleValue<T>;
}

/**
 * The value of a pickle. Whole numbers are numbers up to 2^53 and bigints beyond; keys of dicts are
 * null, booleans, numbers or texts.
 *
 * @param where names the pickle in messages
 * @throws InputError when it is damaged, exceeds a bound, contains itself, or asks for anything that
 *   is not in `context`
 */
export function unpickle<T>(
  bytes: Uint8Array,
  context: PickleContext<T>,
  where: string,
): PickleValue<T> {
  if (bytes.length > MAX_PICKLE_BYTES) {
    throw badPickle(where, `it takes ${bytes.length} bytes, more than ${MAX_PICKLE_BYTES}`);
  }
  const machine = new Machine(bytes, context, where);
  const value = machine.run();
  measure(value, where);
  return value;
}

/** The stack machine; `OPERATIONS` says what it does at each opcode. */
class Machine<T> {
  readonly #view: DataView;
  readonly #stack: PickleValue<T>[] = [];
  /** Heights of the stack at its marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue<T>>();
  #at = 0;
  #objects = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly context: PickleContext<T>,
    readonly where: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue<T> {
    if (this.bytes[0] !== PROTO) throw this.bad("it does not start with its protocol");
    for (;;) {
      const opcode = this.uint(1);
      if (opcode === STOP) return this.#end();
      const operation = OPERATIONS.get(opcode);
      if (!operation) {
        throw this.bad(`it uses opcode 0x${opcode.toString(16)}, which torch.save does not write`);
      }
      operation(this);
    }
  }

  #end(): PickleValue<T> {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#at < this.bytes.length) {
      throw this.bad("something follows its value");
    }
    return value;
  }

  bad(what: string): InputError {
    return badPickle(this.where, what);
  }

  /** The next bytes. */
  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.#at) throw this.bad("it is cut off");
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** The next bytes as an unsigned little-endian number; lengths beyond the pickle are refused. */
  uint(bytes: 1 | 2 | 4 | 8): number {
    this.take(bytes);
    const at = this.#at - bytes;
    switch (bytes) {
      case 1:
        return this.bytes[at];
      case 2:
        return this.#view.getUint16(at, true);
      case 4:
        return this.#view.getUint32(at, true);
      case 8:
        return Number(this.#view.getBigUint64(at, true));
    }
  }

  int32(): number {
    this.take(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  /** Floats alone are big endian. */
  float64(): number {
    this.take(8);
    return this.#view.getFloat64(this.#at - 8);
  }

  /** A whole number in two's complement of `length` bytes. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw this.bad(`it has a number of ${length} bytes`);
    const value = this.take(length).reduceRight((high, byte) => high << 8n | BigInt(byte), 0n);
    const signed = BigInt.asIntN(length * 8, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw this.bad("a text of it is not UTF-8");
    }
  }

  /** Text up to the line end. */
  line(): string {
    const end = this.bytes.indexOf(LINE_END, this.#at);
    const length = end - this.#at;
    if (end < 0 || length > MAX_GLOBAL_BYTES) throw this.bad("a name in it has no end");
    const text = this.text(length);
    this.take(1);
    return text;
  }

  push(value: PickleValue<T>): void {
    if (this.#stack.length >= MAX_STACK) throw this.bad(`its stack exceeds ${MAX_STACK} values`);
    this.#stack.push(value);
  }

  /** Pushes a value that takes memory of its own. */
  pushObject(value: PickleValue<T>): void {
    if (++this.#objects > MAX_OBJECTS) throw this.bad(`it builds more than ${MAX_OBJECTS} objects`);
    this.push(value);
  }

  pop(): PickleValue<T> {
    this.#require(1);
    return this.#stack.pop() as PickleValue<T>;
  }

  /** The last `count` values, in the order in which they were pushed. */
  popTuple(count: number): PickleValue<T>[] {
    this.#require(count);
    return this.#stack.splice(this.#stack.length - count);
  }

  top(): PickleValue<T> {
    this.#require(1);
    return this.#stack[this.#stack.length - 1];
  }

  /** Values below the last mark are out of reach until it is popped. */
  #require(count: number): void {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) {
      throw this.bad("it takes more from its stack than is there");
    }
  }

  mark(): void {
    if (this.#marks.length >= MAX_OBJECTS) throw this.bad("it has too many marks");
    this.#marks.push(this.#stack.length);
  }

  /** The values since the last mark, which goes. */
  popMark(): PickleValue<T>[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.bad("it goes back to a mark that is not there");
    return this.#stack.splice(mark);
  }

  memoize(index = this.#memo.size): void {
    const value = this.top();
    if (this.#memo.size >= MAX_OBJECTS) throw this.bad(`its memo exceeds ${MAX_OBJECTS} values`);
    this.#memo.set(index, value);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.bad(`it recalls value ${index}, which it has not kept`);
    this.push(value);
  }

  append(values: readonly PickleValue<T>[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.bad("it appends to what is no list");
    for (const value of values) list.push(value);
  }

  setItems(keysAndValues: readonly PickleValue<T>[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw this.bad("it sets an item of what is no dict");
    if (keysAndValues.length % 2 !== 0) throw this.bad("it sets an item without a value");
    for (let i = 0; i < keysAndValues.length; i += 2) {
      const key = keysAndValues[i];
      if (typeof key === "object" && key !== null) {
        throw this.bad("a key of a dict is neither a text nor a number");
      }
      dict.set(key, keysAndValues[i + 1]);
    }
  }

  global(module: PickleValue<T>, name: PickleValue<T>): void {
    if (typeof module !== "string" || typeof name !== "string") {
      throw this.bad("it names a global by what is no text");
    }
    const full = `${module}.${name}`;
    if (this.context.globals.has(full)) return this.pushObject(new Global(full));
    throw new InputError(
      `${this.where} asks for ${JSON.stringify(full.slice(0, 2 * MAX_GLOBAL_BYTES))}, which is ` +
        `not among what tensors need; since such a file could run any program, it is not read: ` +
        `save tensors, numbers, texts, lists and dicts only.`,
    );
  }

  reduce(): void {
    const [callable, args] = this.popTuple(2);
    const name = callable instanceof Global ? callable.name : undefined;
    const construct = name === undefined ? null : this.context.globals.get(name);
    if (!construct || !Array.isArray(args)) throw this.bad("it calls what cannot be called");
    this.pushObject(construct(args));
  }

  /** State of an OrderedDict: the attributes that Module.state_dict() adds, of no use here. */
  build(): void {
    const state = this.pop();
    if (!(state instanceof Map) || !(this.top() instanceof Map)) {
      throw this.bad("it gives a state to what has none");
    }
  }

  persistent(): void {
    this.pushObject(this.context.persistent(this.pop()));
  }

  protocol(): void {
    const version = this.uint(1);
    if (this.#at !== 2 || version < 2 || version > 5) {
      throw this.bad(`its protocol is ${version}, expected 2 to 5`);
    }
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LINE_END = 0x0a;
const PROTO = 0x80;
const STOP = 0x2e;

type Operation = <T>(machine: Machine<T>) => void;

/** Opcodes by their byte, named as in pickletools: all that pickles of plain data need. */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [PROTO, (m) => m.protocol()],
  [0x95, (m) => void m.uint(8)], // FRAME: how much to read at once, of no use here
  // constants
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.uint(1))], // BININT1
  [0x4d, (m) => m.push(m.uint(2))], // BININT2
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x8a, (m) => m.push(m.integer(m.uint(1)))], // LONG1
  [0x8b, (m) => m.push(m.integer(m.uint(4)))], // LONG4
  [0x47, (m) => m.push(m.float64())], // BINFLOAT
  [0x8c, (m) => m.push(m.text(m.uint(1)))], // SHORT_BINUNICODE
  [0x58, (m) => m.push(m.text(m.uint(4)))], // BINUNICODE
  [0x8d, (m) => m.push(m.text(m.uint(8)))], // BINUNICODE8
  // tuples, lists and dicts
  [0x29, (m) => m.pushObject([])], // EMPTY_TUPLE
  [0x85, (m) => m.pushObject(m.popTuple(1))], // TUPLE1
  [0x86, (m) => m.pushObject(m.popTuple(2))], // TUPLE2
  [0x87, (m) => m.pushObject(m.popTuple(3))], // TUPLE3
  [0x74, (m) => m.pushObject(m.popMark())], // TUPLE
  [0x5d, (m) => m.pushObject([])], // EMPTY_LIST
  [0x61, (m) => m.append(m.popTuple(1))], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x7d, (m) => m.pushObject(new Map())], // EMPTY_DICT
  [0x73, (m) => m.setItems(m.popTuple(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  // stack and memo
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x71, (m) => m.memoize(m.uint(1))], // BINPUT
  [0x72, (m) => m.memoize(m.uint(4))], // LONG_BINPUT
  [0x94, (m) => m.memoize()], // MEMOIZE
  [0x68, (m) => m.recall(m.uint(1))], // BINGET
  [0x6a, (m) => m.recall(m.uint(4))], // LONG_BINGET
  // the caller's constructors
  [0x63, (m) => m.global(m.line(), m.line())], // GLOBAL
  [0x93, (m) => {
    const [module, name] = m.popTuple(2);
    m.global(module, name);
  }], // STACK_GLOBAL
  [0x52, (m) => m.reduce()], // REDUCE
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.persistent()], // BINPERSID
]);

/**
 * Checks that a result is a tree of bounded size, so that whoever walks it comes to an end: through
 * the memo a list can contain itself, or another one a million times.
 */
function measure(root: unknown, where: string): void {
  const known = new Map<object, Extent>();
  const open = new Set<object>();
  const extentOf = (value: unknown): Extent => {
    if (value instanceof Ingredient) {
      throw badPickle(where, `its value holds ${value.description}, which is no value by itself`);
    }
    if (!Array.isArray(value) && !(value instanceof Map)) return { size: 1, depth: 0 };
    const extent = known.get(value) ?? measured(value);
    if (open.size + extent.depth > MAX_DEPTH) {
      throw badPickle(where, `it nests deeper than ${MAX_DEPTH}`);
    }
    return extent;
  };
  const measured = (value: unknown[] | Map<unknown, unknown>): Extent => {
    if (open.has(value)) throw badPickle(where, "a list or dict of it contains itself");
    if (open.size >= MAX_DEPTH) throw badPickle(where, `it nests deeper than ${MAX_DEPTH}`);
    open.add(value);
    let [size, depth] = [1, 1];
    for (const inner of value.values()) {
      const extent = extentOf(inner);
      size += extent.size;
      depth = Math.max(depth, 1 + extent.depth);
    }
    open.delete(value);
    if (size > MAX_VALUES) throw badPickle(where, `it spells out more than ${MAX_VALUES} values`);
    known.set(value, { size, depth });
    return { size, depth };
  };
  extentOf(root);
}

/** What a value comes to when it is walked through: values in all, and levels of lists and dicts. */
interface Extent {
  readonly size: number;
  readonly depth: number;
}

function badPickle(where: string, what: string): InputError {
  return new InputError(`${where} cannot be read as a pickle of data: ${what}; fetch it again.`);
}
