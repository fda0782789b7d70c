/**
 * The one step between a `.wgsl` file and the shader compiler: constants, unrolled loops, variants.
 *
 * WGSL has no way to unroll a loop, and loops are expensive on every backend (bounds counters on
 * GPUs, masked lanes on CPUs), so kernels write `#for` where a loop must be straight-line code:
 *
 *     #for i in 0..TILE          repeats the lines up to #end with i = 0, 1, … TILE - 1
 *     #if WEIGHTS == "bf16"      keeps the lines up to #else or #end
 *     #elif … / #else
 *     #end
 *     ${4 * i + 1}               the value of an expression
 *
 * Expressions hold integers, "strings", constants, loop variables, + - * / % (integer), comparisons,
 * && || ! and parentheses. There is nothing else: no functions, no assignments, no recursion.
 */

/** A value a kernel file can name: an integer or a word. */
export type Constant = number | string;
export type Constants = Readonly<Record<string, Constant>>;

/**
 * Specialises the text of a kernel.
 *
 * @param source text of a `.wgsl` file
 * @param constants values of the names it uses
 * @throws SyntaxError naming the line, for an unknown name, a malformed expression or an unclosed block
 */
export function specialise(source: string, constants: Constants): string {
  const lines = source.split("\n");
  const { output, next } = expandBlock(lines, 0, constants);
  if (next < lines.length) {
    throw new SyntaxError(`line ${next + 1}: ${lines[next].trim()} without a block`);
  }
  return output.join("\n");
}

const DIRECTIVE = /^\s*#(for|if|elif|else|end)\b\s*(.*?)\s*$/;

/** Expands lines from `start` until a directive that closes the current block (or the end). */
function expandBlock(
  lines: string[],
  start: number,
  scope: Constants,
): { output: string[]; next: number } {
  const output: string[] = [];
  let at = start;
  while (at < lines.length) {
    const directive = DIRECTIVE.exec(lines[at]);
    if (!directive) {
      output.push(substitute(lines[at], scope, at));
      at++;
      continue;
    }
    const [, word, rest] = directive;
    if (word === "for") at = expandLoop(lines, at, rest, scope, output);
    else if (word === "if") at = expandBranches(lines, at, rest, scope, output);
    else break;
  }
  return { output, next: at };
}

function expandLoop(
  lines: string[],
  at: number,
  header: string,
  scope: Constants,
  output: string[],
): number {
  const parts = /^(\w+)\s+in\s+(.+?)\.\.(.+)$/.exec(header);
  if (!parts) throw new SyntaxError(`line ${at + 1}: expected "#for name in first..end"`);
  const [, name, first, end] = parts;
  const bounds = [first, end].map((text) => evaluate(text, scope, at));
  if (bounds.some((bound) => typeof bound !== "number")) {
    throw new SyntaxError(`line ${at + 1}: the bounds of a loop must be integers`);
  }
  for (let i = bounds[0] as number; i < (bounds[1] as number); i++) {
    output.push(...expandBlock(lines, at + 1, { ...scope, [name]: i }).output);
  }
  const close = skipBlock(lines, at + 1);
  expect(lines, close, "end", at);
  return close + 1;
}

function expandBranches(
  lines: string[],
  at: number,
  condition: string,
  scope: Constants,
  output: string[],
): number {
  let open = at;
  let taken = false;
  let holds = truth(evaluate(condition, scope, at));
  while (true) {
    const close = skipBlock(lines, open + 1);
    if (holds && !taken) {
      output.push(...expandBlock(lines, open + 1, scope).output);
      taken = true;
    }
    const directive = close < lines.length ? DIRECTIVE.exec(lines[close]) : null;
    if (directive?.[1] === "elif") holds = !taken && truth(evaluate(directive[2], scope, close));
    else if (directive?.[1] === "else") holds = !taken;
    else {
      expect(lines, close, "end", at);
      return close + 1;
    }
    open = close;
  }
}

/** Index of the directive that closes the block whose first line is `start`. */
function skipBlock(lines: string[], start: number): number {
  let depth = 0;
  for (let at = start; at < lines.length; at++) {
    const word = DIRECTIVE.exec(lines[at])?.[1];
    if (word === "for" || word === "if") depth++;
    else if (word !== undefined && depth === 0) return at;
    else if (word === "end") depth--;
  }
  return lines.length;
}

function expect(lines: string[], at: number, word: string, opened: number): void {
  if (at < lines.length && DIRECTIVE.exec(lines[at])?.[1] === word) return;
  throw new SyntaxError(`line ${opened + 1}: block has no #${word}`);
}

function substitute(line: string, scope: Constants, at: number): string {
  return line.replace(/\$\{([^}]*)\}/g, (_, text: string) => String(evaluate(text, scope, at)));
}

function truth(value: Constant): boolean {
  return value !== 0 && value !== "";
}

const TOKEN = /\s*(\d+|"[^"]*"|[A-Za-z_]\w*|&&|\|\||[=!<>]=|[-+*/%<>!()])/y;

/** Binary operators by increasing precedence; integer arithmetic, comparisons give 1 or 0. */
const LEVELS: Record<string, (a: Constant, b: Constant) => Constant>[] = [
  { "||": (a, b) => Number(truth(a) || truth(b)) },
  { "&&": (a, b) => Number(truth(a) && truth(b)) },
  { "==": (a, b) => Number(a === b), "!=": (a, b) => Number(a !== b) },
  {
    "<": (a, b) => Number(a < b),
    ">": (a, b) => Number(a > b),
    "<=": (a, b) => Number(a <= b),
    ">=": (a, b) => Number(a >= b),
  },
  { "+": (a, b) => integer(a) + integer(b), "-": (a, b) => integer(a) - integer(b) },
  {
    "*": (a, b) => integer(a) * integer(b),
    "/": (a, b) => Math.trunc(integer(a) / integer(b)),
    "%": (a, b) => integer(a) % integer(b),
  },
];

function integer(value: Constant): number {
  if (typeof value !== "number") throw new SyntaxError(`"${value}" is not an integer`);
  return value;
}

function evaluate(text: string, scope: Constants, line: number): Constant {
  const tokens = tokenise(text, line);
  let at = 0;

  const level = (depth: number): Constant => {
    if (depth === LEVELS.length) return atom();
    let value = level(depth + 1);
    while (at < tokens.length && Object.hasOwn(LEVELS[depth], tokens[at])) {
      const operator = LEVELS[depth][tokens[at++]];
      value = operator(value, level(depth + 1));
    }
    return value;
  };
  const atom = (): Constant => {
    const token = tokens[at++];
    if (token === undefined) throw new SyntaxError(`line ${line + 1}: "${text}" ends too early`);
    if (token === "(") {
      const value = level(0);
      if (tokens[at++] !== ")") throw new SyntaxError(`line ${line + 1}: "${text}" lacks a ")"`);
      return value;
    }
    if (token === "!") return Number(!truth(atom()));
    if (token === "-") return -integer(atom());
    if (/^\d/.test(token)) return Number(token);
    if (token.startsWith('"')) return token.slice(1, -1);
    if (Object.hasOwn(scope, token)) return scope[token];
    throw new SyntaxError(`line ${line + 1}: unknown name "${token}" in "${text}"`);
  };

  const value = level(0);
  if (at < tokens.length) {
    throw new SyntaxError(`line ${line + 1}: "${tokens[at]}" is not expected in "${text}"`);
  }
  return value;
}

function tokenise(text: string, line: number): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) throw new SyntaxError(`line ${line + 1}: cannot read "${trimmed.slice(from)}"`);
    tokens.push(match[1]);
  }
  return tokens;
}
