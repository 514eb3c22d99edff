// What Herd answers, checked against the types that OpenAI publishes with its client: node schema.mjs BASE_URL MODEL
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [base, model] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const call = async (path, body, method = body === undefined ? 'GET' : 'POST') => {
  const response = await fetch(base + path, {
    method,
    body: body && JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return response.text();
};
const events = text =>
  text
    .split('\n')
    .filter(line => line.startsWith('data: {'))
    .map(line => line.slice(6));

const messages = [{ role: 'user', content: 'How is the weather in Rome?' }];
const parameters = { type: 'object', properties: { city: { enum: ['Rome'] } }, required: ['city'] };
const chat = { model, messages, max_tokens: 24, temperature: 0 };
const tools = { tools: [{ type: 'function', function: { name: 'weather', parameters } }], tool_choice: 'required' };
const responseTools = {
  tools: [{ type: 'function', name: 'weather', parameters, strict: false }],
  tool_choice: 'required',
};
const response = { model, input: 'How is the weather in Rome?', max_output_tokens: 24, temperature: 0 };
const made = await call('/responses', response);
const id = JSON.parse(made).id;
const conversation = JSON.parse(await call('/conversations', {})).id;
await call('/responses', { ...response, conversation });

const samples = [
  ['OpenAI.Chat.ChatCompletion', await call('/chat/completions', { ...chat, n: 2, logprobs: true, top_logprobs: 2 })],
  ['OpenAI.Chat.ChatCompletion', await call('/chat/completions', { ...chat, ...tools })],
  ...events(
    await call('/chat/completions', { ...chat, stream: true, logprobs: true, stream_options: { include_usage: true } }),
  ).map(chunk => ['OpenAI.Chat.ChatCompletionChunk', chunk]),
  ...events(await call('/chat/completions', { ...chat, ...tools, stream: true })).map(chunk => [
    'OpenAI.Chat.ChatCompletionChunk',
    chunk,
  ]),
  ['OpenAI.Completion', await call('/completions', { model, prompt: 'The capital of France is', max_tokens: 3 })],
  ['OpenAI.CreateEmbeddingResponse', await call('/embeddings', { model, input: ['a', 'b'] })],
  ['OpenAI.Model', await call(`/models/${model}`)],
  ['Wire<OpenAI.Responses.Response>', made],
  ['Wire<OpenAI.Responses.Response>', await call('/responses', { ...response, ...responseTools })],
  ['Wire<OpenAI.Responses.Response>', await call(`/responses/${id}`)],
  ['OpenAI.Responses.ResponseItemList', await call(`/responses/${id}/input_items`)],
  ...events(await call('/responses', { ...response, stream: true })).map(event => ['WireEvent', event]),
  ...events(await call('/responses', { ...response, ...responseTools, stream: true })).map(event => [
    'WireEvent',
    event,
  ]),
  ['OpenAI.Conversations.Conversation', await call(`/conversations/${conversation}`)],
  ['OpenAI.Conversations.ConversationItemList', await call(`/conversations/${conversation}/items`)],
  [
    'OpenAI.Conversations.ConversationDeletedResource',
    await call(`/conversations/${conversation}`, undefined, 'DELETE'),
  ],
];

// The client adds output_text by itself; it is in none of the answers. OpenAI answers with store, though its types
// leave it out.
const types = `import OpenAI from 'openai';
type Wire<T> = T extends { output_text: string } ? Omit<T, 'output_text'> & { store: boolean } : T;
type Inner<T> = T extends { response: OpenAI.Responses.Response }
  ? Omit<T, 'response'> & { response: Wire<OpenAI.Responses.Response> }
  : T;
type WireEvent = Inner<OpenAI.Responses.ResponseStreamEvent>;
`;
const folder = mkdtempSync(join(here, 'schema-'));
try {
  const lines = samples.map(([type, json], i) => `export const sample${i}: ${type} = ${json.trim()};`);
  writeFileSync(join(folder, 'check.ts'), types + lines.join('\n'));
  execFileSync(
    join(here, 'node_modules', '.bin', 'tsc'),
    [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--moduleResolution',
      'nodenext',
      '--target',
      'es2022',
      join(folder, 'check.ts'),
    ],
    { encoding: 'utf8' },
  );
  console.log(JSON.stringify({ checked: samples.length, wrong: null }));
} catch (error) {
  console.log(JSON.stringify({ checked: samples.length, wrong: error.stdout ?? String(error) }));
} finally {
  rmSync(folder, { recursive: true });
}
