// Anthropic's client: node anthropic.mjs BASE_URL MODEL
import Anthropic from '@anthropic-ai/sdk';

const [baseURL, model] = process.argv.slice(2);
const client = new Anthropic({ baseURL, apiKey: 'none', maxRetries: 0 });
const say = (messages, more = {}) =>
  client.messages.create({
    model,
    max_tokens: 48,
    temperature: 0,
    system: [{ type: 'text', text: 'You are a helpful assistant.' }],
    messages,
    ...more,
  });
const text = message =>
  message.content
    .filter(block => block.type === 'text')
    .map(block => block.text)
    .join('');

const messages = [{ role: 'user', content: 'What is the capital of France?' }];
const first = await say(messages);
messages.push(
  { role: 'assistant', content: first.content },
  { role: 'user', content: [{ type: 'text', text: 'And of Italy?' }] },
);

const types = [];
const stream = client.messages
  .stream({ model, max_tokens: 48, temperature: 0, system: 'You are a helpful assistant.', messages })
  .on('streamEvent', event => types.push(event.type));
const second = await stream.finalMessage();

const tools = [
  {
    name: 'weather',
    description: 'Tells the weather of a city.',
    input_schema: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
      required: ['city'],
    },
  },
];
const question = [{ role: 'user', content: 'How is the weather in Rome?' }];
const called = await client.messages
  .stream({
    model,
    max_tokens: 64,
    temperature: 0,
    messages: question,
    tools,
    tool_choice: { type: 'tool', name: 'weather' },
  })
  .finalMessage();
const use = called.content.find(block => block.type === 'tool_use');
const answered = await say(
  [
    ...question,
    { role: 'assistant', content: called.content },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: use.id, content: [{ type: 'text', text: 'sunny' }] }],
    },
  ],
  { tools },
);

const counted = await client.messages.countTokens({
  model,
  system: 'You are a helpful assistant.',
  messages: messages.slice(0, 1),
});
const short = await say([{ role: 'user', content: 'Count to a hundred.' }], { max_tokens: 3 });
const stopped = await say([{ role: 'user', content: 'What is the capital of France?' }], { stop_sequences: ['Paris'] });
const fail = async more => {
  try {
    await say(messages.slice(0, 1), more);
    return null;
  } catch (error) {
    return { status: error.status, type: error.error?.error?.type };
  }
};

console.log(
  JSON.stringify({
    first: {
      text: text(first),
      stop: first.stop_reason,
      role: first.role,
      input: first.usage.input_tokens + first.usage.cache_read_input_tokens,
    },
    second: {
      text: text(second),
      stop: second.stop_reason,
      cached: second.usage.cache_read_input_tokens,
      output: second.usage.output_tokens,
    },
    types: types.filter((type, i) => type !== types[i - 1]),
    called: { stop: called.stop_reason, name: use.name, input: use.input },
    answered: text(answered).length > 0,
    counted: counted.input_tokens,
    short: short.stop_reason,
    stopped: { reason: stopped.stop_reason, sequence: stopped.stop_sequence },
    errors: [await fail({ model: 'nobody' }), await fail({ temperature: 9 }), await fail({ messages: [] })],
  }),
);
