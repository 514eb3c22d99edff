// A chat of three streamed turns, as an application would write it. Prints what the client saw as JSON.
import OpenAI from "openai";

const [baseURL, model, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey });
const messages = [];
const turns = [];

for (const question of ["What is the capital of France?", "And of Italy?", "And of Spain?"]) {
  messages.push({ role: "user", content: question });
  const { data: stream, response } = await client.chat.completions
    .create({ model, messages, temperature: 0, max_tokens: 48, stream: true, stream_options: { include_usage: true } })
    .withResponse();

  let text = "";
  let finish = null;
  let usage = null;
  const ids = new Set();
  for await (const chunk of stream) {
    ids.add(chunk.id);
    text += chunk.choices[0]?.delta?.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }

  messages.push({ role: "assistant", content: text });
  turns.push({
    text,
    finish,
    ids: ids.size,
    prompt: usage.prompt_tokens,
    completion: usage.completion_tokens,
    cached: usage.prompt_tokens_details.cached_tokens,
    node: response.headers.get("x-herd-node"),
    session: response.headers.get("x-herd-session"),
  });
}

messages.push({ role: "user", content: "And of Portugal?" });
const errors = [];
for (const body of [
  { model: "nobody", messages },
  { model, messages: [] },
  { model, messages, temperature: -1 },
]) {
  try {
    await client.chat.completions.create(body);
  } catch (error) {
    errors.push({
      kind: error.constructor.name,
      status: error.status,
      code: error.code,
      param: error.param,
      type: error.type,
    });
  }
}

const models = [];
for await (const entry of client.models.list()) {
  models.push(entry.id);
}

console.log(JSON.stringify({ turns, errors, models }));
