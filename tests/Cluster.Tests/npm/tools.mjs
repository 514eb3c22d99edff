// Functions with the official OpenAI client: node tools.mjs BASE_URL MODEL
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
const tools = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'Tells the weather of a city.',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string', enum: ['Paris', 'Rome'] }, unit: { enum: ['C', 'F'] } },
        required: ['city', 'unit'],
        additionalProperties: false,
      },
    },
  },
  { type: 'function', function: { name: 'clock', parameters: { type: 'object', properties: {} } } },
];
const messages = [{ role: 'user', content: 'How is the weather in Rome?' }];
const ask = more => client.chat.completions.create({ model, messages, tools, temperature: 0, max_tokens: 64, ...more });

const forced = await ask({ tool_choice: { type: 'function', function: { name: 'weather' } } });
const call = forced.choices[0].message.tool_calls[0];

const after = await ask({
  messages: [
    ...messages,
    forced.choices[0].message,
    { role: 'tool', tool_call_id: call.id, content: '31 degrees, sunny' },
  ],
});

const stream = client.chat.completions.stream({
  model,
  messages,
  tools,
  tool_choice: 'required',
  temperature: 0,
  max_tokens: 64,
});
const streamed = await stream.finalChatCompletion();

const none = await ask({ tool_choice: 'none' });
let refused;
try {
  await ask({
    tool_choice: 'required',
    tools: [
      { type: 'function', function: { name: 'f', strict: true, parameters: { type: 'object', minProperties: 1 } } },
    ],
  });
} catch (error) {
  refused = { status: error.status, param: error.param };
}

const controller = new AbortController();
let aborted = '';
try {
  const long = await client.chat.completions.create(
    { model, messages: [{ role: 'user', content: 'Tell me a very long story.' }], stream: true, temperature: 0 },
    { signal: controller.signal },
  );
  for await (const chunk of long) {
    aborted += chunk.choices[0]?.delta.content ?? '';
    controller.abort();
  }
} catch (error) {
  aborted = error.constructor.name;
}

console.log(
  JSON.stringify({
    forced: {
      finish: forced.choices[0].finish_reason,
      content: forced.choices[0].message.content,
      name: call.function.name,
      arguments: JSON.parse(call.function.arguments),
    },
    after: {
      finish: after.choices[0].finish_reason,
      text: after.choices[0].message.content,
      cached: after.usage.prompt_tokens_details.cached_tokens,
      before: forced.usage.total_tokens,
    },
    streamed: {
      finish: streamed.choices[0].finish_reason,
      calls: streamed.choices[0].message.tool_calls.map(made => ({
        name: made.function.name,
        arguments: JSON.parse(made.function.arguments),
      })),
    },
    none: { finish: none.choices[0].finish_reason, calls: none.choices[0].message.tool_calls?.length ?? 0 },
    refused,
    aborted: aborted.length > 0,
  }),
);
