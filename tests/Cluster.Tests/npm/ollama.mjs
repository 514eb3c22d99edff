// Ollama's client: node ollama.mjs HOST MODEL
import { Ollama } from 'ollama';

const [host, model] = process.argv.slice(2);
const client = new Ollama({ host });
const options = { temperature: 0, num_predict: 48 };

const messages = [{ role: 'user', content: 'What is the capital of France?' }];
const first = await client.chat({ model, messages, options });
messages.push(first.message, { role: 'user', content: 'And of Italy?' });

let second = '';
let last;
for await (const part of await client.chat({ model, messages, options, stream: true })) {
  second += part.message.content;
  last = part;
}

const tools = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'Tells the weather.',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
];
const tooled = await client.chat({ model, messages: [{ role: 'user', content: 'Hello.' }], tools, options });
const answered = await client.chat({
  model,
  tools,
  options,
  messages: [
    { role: 'user', content: 'Weather?' },
    { role: 'assistant', content: '', tool_calls: [{ function: { name: 'weather', arguments: { city: 'Rome' } } }] },
    { role: 'tool', tool_name: 'weather', content: 'sunny' },
  ],
});
const object = await client.chat({
  model,
  options,
  messages: [{ role: 'user', content: 'Name a colour.' }],
  format: {
    type: 'object',
    properties: { colour: { enum: ['red', 'blue'] } },
    required: ['colour'],
    additionalProperties: false,
  },
});
const generated = await client.generate({ model, prompt: 'What is the capital of France?', options });
const raw = await client.generate({
  model,
  prompt: 'The capital of France is',
  raw: true,
  options: { temperature: 0, num_predict: 4 },
});
const embedded = await client.embed({ model, input: ['A cat sleeps.', 'A kitten naps.', 'The stock market fell.'] });
const near = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const fail = async promise => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.status_code, hasText: error.message.length > 0 };
  }
};

console.log(
  JSON.stringify({
    first: first.message.content,
    second,
    last: {
      done: last.done,
      reason: last.done_reason,
      prompt: last.prompt_eval_count,
      count: last.eval_count,
      took: last.total_duration > 0,
    },
    tooled: tooled.done,
    answered: answered.message.content.length > 0,
    object: JSON.parse(object.message.content),
    generated: generated.response,
    raw: raw.response,
    near: near(embedded.embeddings[0], embedded.embeddings[1]) > near(embedded.embeddings[0], embedded.embeddings[2]),
    length: near(embedded.embeddings[0], embedded.embeddings[0]),
    models: (await client.list()).models.map(entry => entry.name),
    running: (await client.ps()).models.map(entry => entry.name),
    context: (await client.show({ model })).model_info['llama.context_length'],
    version: (await client.version()).version,
    errors: [
      await fail(client.chat({ model: 'nobody', messages })),
      await fail(client.chat({ model, messages: [{ role: 'wizard', content: 'x' }] })),
    ],
  }),
);
