/**
 * The front matter of a data set's README.md: which files its configurations and splits have
 * (https://huggingface.co/docs/hub/datasets-manual-configuration). It is YAML, of which the forms
 * that the hub's own tools write are read: block lists and mappings, plain and quoted texts.
 */

/** Files of a configuration, as patterns. */
export interface DeclaredConfig {
  readonly name: string;
  /** Patterns of each split; the split is undefined where the files themselves name it. */
  readonly dataFiles: readonly {
    readonly split: string | undefined;
    readonly patterns: readonly string[];
  }[];
}

type Yaml = string | readonly Yaml[] | ReadonlyMap<string, Yaml>;

interface Line {
  readonly indent: number;
  readonly text: string;
}

const MAX_LINES = 100_000;
/** Deepest nesting of blocks that is read; configurations take four. */
const MAX_DEPTH = 32;

/** The configurations that the README declares; none when it declares them in a form not read. */
export function declaredConfigs(readme: string): DeclaredConfig[] {
  const [, front] = /^---\r?\n([^]*?)\r?\n---\s*(?:\n|$)/.exec(readme) ?? [];
  if (front === undefined) return [];
  const lines = linesOf(front);
  const from = lines.findIndex(({ indent, text }) => indent === 0 && text === "configs:");
  if (from < 0) return [];
  const block = new BlockReader(lines.slice(from + 1));
  const configs = block.read(0);
  return Array.isArray(configs) ? configs.flatMap(configOf) : [];
}

function linesOf(front: string): Line[] {
  return front.split(/\r?\n/).slice(0, MAX_LINES).flatMap((line) => {
    const text = line.trimStart();
    return text === "" || text.startsWith("#") ? [] : [{
      indent: line.length - text.length,
      text: text.trimEnd(),
    }];
  });
}

function configOf(config: Yaml): DeclaredConfig[] {
  if (!(config instanceof Map)) return [];
  const name = config.get("config_name");
  const files = config.get("data_files");
  if (typeof name !== "string" || files === undefined || config.has("data_dir")) return [];
  const entries = Array.isArray(files) ? files : [files];
  const dataFiles = entries.flatMap((entry: Yaml) => {
    if (!(entry instanceof Map)) return [{ split: undefined, patterns: textsOf(entry) }];
    const split = entry.get("split");
    const patterns = textsOf(entry.get("path") ?? []);
    return [{ split: typeof split === "string" ? split : undefined, patterns }];
  });
  return dataFiles.some(({ patterns }) => patterns.length > 0) ? [{ name, dataFiles }] : [];
}

function textsOf(value: Yaml): string[] {
  const values = Array.isArray(value) ? value : [value];
  return values.filter((text) => typeof text === "string" && text !== "");
}

/** Reads blocks by their indentation. */
class BlockReader {
  #at = 0;
  #depth = 0;

  constructor(readonly lines: readonly Line[]) {}

  /** The list or mapping whose lines are indented by `least` or more. */
  read(least: number): Yaml | undefined {
    const first = this.lines[this.#at];
    if (!first || first.indent < least || this.#depth >= MAX_DEPTH) return undefined;
    this.#depth++;
    const block = isItem(first) ? this.#list(first.indent) : this.#mapping(first.indent);
    this.#depth--;
    return block;
  }

  #list(indent: number): Yaml[] {
    const items: Yaml[] = [];
    for (let line; (line = this.lines[this.#at]) && line.indent === indent && isItem(line);) {
      const text = line.text.slice(1).trimStart();
      if (entryOf(text)) {
        // `- key: value` begins a mapping that goes on below, indented as far as its key
        const inner = indent + line.text.length - text.length;
        items.push(this.#mapping(inner, text));
      } else {
        this.#at++;
        items.push(scalar(text));
      }
    }
    return items;
  }

  #mapping(indent: number, begun?: string): ReadonlyMap<string, Yaml> {
    const entries = new Map<string, Yaml>();
    for (let text = begun;; text = undefined) {
      const line = this.lines[this.#at];
      if (!line || (text === undefined && (line.indent !== indent || isItem(line)))) return entries;
      const entry = entryOf(text ?? line.text);
      if (!entry) return entries;
      this.#at++;
      entries.set(entry.key, entry.value === "" ? this.#below(indent) : scalar(entry.value));
    }
  }

  /** What is under a key; the items of a list may stand as far left as the key. */
  #below(indent: number): Yaml {
    const next = this.lines[this.#at];
    const least = next && isItem(next) ? indent : indent + 1;
    return this.read(least) ?? "";
  }
}

function isItem({ text }: Line): boolean {
  return text === "-" || text.startsWith("- ");
}

function entryOf(text: string): { key: string; value: string } | undefined {
  const [, key, value] = /^([\w.-]+|"[^"]*"|'[^']*'):(?:\s+(.*))?$/s.exec(text) ?? [];
  return key === undefined ? undefined : { key: unquoted(key), value: value ?? "" };
}

/** A text, or a list written in one line. */
function scalar(text: string): Yaml {
  const [, items] = /^\[(.*)\]$/.exec(text) ?? [];
  if (items === undefined) return unquoted(text);
  return items.split(",").map((item) => unquoted(item.trim())).filter((item) => item !== "");
}

function unquoted(text: string): string {
  const [, double, single] = /^(?:"(.*)"|'(.*)')$/.exec(text) ?? [];
  // a comment begins at the first space of a run: looking on inside the run takes its length squared
  return double ?? single ?? text.replace(/(?<!\s)\s+#.*$/s, "");
}
