/** The key of an endpoint: it leaves this class for the endpoint's own host alone. */
import { InputError } from "../formats/input_error.ts";

/** Reads a variable of the environment. */
export type Environment = (name: string) => string | undefined;

/** Hosts with a variable of their own, as their users know it; subdomains count. */
const VARIABLE_OF_HOST: readonly [host: string, variable: string][] = [
  ["openrouter.ai", "OPENROUTER_API_KEY"],
  ["openai.com", "OPENAI_API_KEY"],
];

/** The variable for all other hosts, and for those where theirs is not set. */
const ANY_HOST = "BABELSCOPE_API_KEY";

/** Variables that may hold the key of a host, the first one that is set counts. */
export function keyVariables(host: string): readonly string[] {
  const own = VARIABLE_OF_HOST.filter(([name]) => host === name || host.endsWith(`.${name}`));
  return [...own.map(([, variable]) => variable), ANY_HOST];
}

/** Whether nothing is answered by this host without a key. */
export function needsKey(host: string): boolean {
  return keyVariables(host).length > 1;
}

const SHORTEST_SECRET = 8;

/** A secret. Printing it, or writing it as JSON, gives its variable's name. */
export class ApiKey {
  readonly #value: string;

  private constructor(readonly variable: string, value: string) {
    this.#value = value;
  }

  /**
   * The key for a host, from the environment; undefined if none is set.
   *
   * @throws InputError when what is set cannot be a key
   */
  static find(host: string, environment: Environment): ApiKey | undefined {
    for (const variable of keyVariables(host)) {
      const value = environment(variable)?.trim();
      if (!value) continue;
      if (/^[\x21-\x7e]+$/.test(value)) return new ApiKey(variable, value);
      throw new InputError(
        `${variable} holds spaces or letters that no key has; set it to the key alone.`,
      );
    }
  }

  /** Value of the header `Authorization`. */
  get authorization(): string {
    return `Bearer ${this.#value}`;
  }

  /**
   * The text with the key taken out, should whoever answers have put it there. What is shorter than
   * any secret, such as `none` for a local server, stays: it may be a word of an answer.
   */
  redact(text: string): string {
    if (this.#value.length < SHORTEST_SECRET) return text;
    return text.replaceAll(this.#value, `[${this.variable}]`);
  }

  toJSON(): string {
    return this.variable;
  }
}
