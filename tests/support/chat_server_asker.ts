/**
 * A program that asks numbered questions one after the other and prints each answer when it has it,
 * for tests that kill it: `deno run chat_server_asker.ts <base URL> <folder of answers> <questions>`.
 */
import { print } from "../../lib/cli/output.ts";
import { openChatModel } from "../../lib/llm/chat_model.ts";
import { Endpoint } from "../../lib/llm/endpoint.ts";

const [baseUrl, requestCache, questions] = Deno.args;
using endpoint = await Endpoint.open({
  baseUrl,
  requestCache,
  explainerModel: "m",
  requestTimeout: 60,
  maxAttempts: 1,
  concurrency: 1,
});
const model = await openChatModel(endpoint, "m");
for (let i = 0; i < Number(questions); i++) {
  const messages = [{ role: "user", content: `question ${i}.` }] as const;
  const { text } = await model.complete({ messages, maxTokens: 10, temperature: 0 });
  print(text);
}
