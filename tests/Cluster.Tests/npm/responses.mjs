// The Responses API with the official client: node responses.mjs BASE_URL MODEL
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
const say = (input, more = {}) =>
  client.responses.create({ model, input, temperature: 0, max_output_tokens: 48, ...more });
const tell = response => ({
  id: response.id,
  status: response.status,
  text: response.output[0]?.content[0]?.text,
  previous: response.previous_response_id,
  input: response.usage?.input_tokens,
  output: response.usage?.output_tokens,
  cached: response.usage?.input_tokens_details.cached_tokens,
});
const fail = async promise => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.status, code: error.code, param: error.param };
  }
};

const first = await say('What is the capital of France?', {
  instructions: 'You are a helpful assistant.',
  metadata: { topic: 'capitals' },
});
const firstAgain = await client.responses.retrieve(first.id);
const second = await say('And of Italy?', { previous_response_id: first.id });
const beside = await say('And of Germany?', { previous_response_id: first.id });

const events = [];
const stream = client.responses
  .stream({
    model,
    input: 'And of Spain?',
    temperature: 0,
    max_output_tokens: 48,
    previous_response_id: second.id,
  })
  .on('event', event => events.push(event));
const third = await stream.finalResponse();

const short = await say('Count to a hundred.', { max_output_tokens: 3 });

// JSON whose length is the model's choice may end at the limit of tokens; JSON of this schema is short.
const json = await say('Name a colour as JSON.', { text: { format: { type: 'json_object' } } });
const colour = {
  type: 'json_schema',
  name: 'colour',
  schema: {
    type: 'object',
    properties: { colour: { enum: ['red', 'green'] } },
    required: ['colour'],
    additionalProperties: false,
  },
  strict: true,
};
const object = await say('Name a colour as JSON.', { text: { format: colour } });
const passing = await say('Hello.', { store: false });
const read = await client.responses.retrieve(second.id);
const items = [];
for await (const item of client.responses.inputItems.list(second.id)) {
  items.push({ role: item.role, text: item.content[0].text });
}

// Functions: forced, streamed, and answered with their results.
const weather = {
  type: 'function',
  name: 'weather',
  description: 'Tells the weather.',
  parameters: {
    type: 'object',
    properties: { city: { enum: ['Rome'] } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};
const asked = await client.responses
  .stream({ model, input: 'How is the weather in Rome?', tools: [weather], tool_choice: 'required', temperature: 0 })
  .finalResponse();
const call = asked.output.find(item => item.type === 'function_call');
const answered = await say([{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }], {
  previous_response_id: asked.id,
  tools: [weather],
});
const kept = await client.responses.retrieve(asked.id);

// Conversations: items come with their turns.
const conversation = await client.conversations.create({
  items: [{ type: 'message', role: 'system', content: 'You are a helpful assistant.' }],
});
await say('What is the capital of France?', { conversation: conversation.id });
const kinds = [];
for await (const item of client.conversations.items.list(conversation.id, { order: 'asc' })) {
  kinds.push(`${item.role} ${item.content[0].text.includes('France') ? 'France' : ''}`);
}
const found = await client.conversations.retrieve(conversation.id);
const noted = await client.conversations.create({ metadata: { topic: 'capitals' } });
await client.conversations.update(noted.id, { metadata: { topic: 'rivers' } });
const notes = [noted.metadata, found.metadata, (await client.conversations.retrieve(noted.id)).metadata];
const removed = await client.conversations.delete(conversation.id);

// A deleted response is gone; what builds on it is not.
const base = await say('What is the capital of France?');
const built = await say('And of Italy?', { previous_response_id: base.id });
await client.responses.delete(base.id);
const gone = await fail(client.responses.retrieve(base.id));
const after = await say('And of Germany?', { previous_response_id: built.id });

// A response that is being made is cancelled by its id.
let cancelled;
let seen = '';
for await (const event of await client.responses.create({
  model,
  input: 'Tell me a very long story about a dragon.',
  stream: true,
  temperature: 0,
})) {
  if (event.type === 'response.created') {
    cancelled = event.response.id;
  } else if (event.type === 'response.output_text.delta' && seen === '') {
    seen = event.delta;
    cancelled = await client.responses.cancel(cancelled);
  }
}

console.log(
  JSON.stringify({
    tools: {
      name: call.name,
      arguments: JSON.parse(call.arguments),
      status: answered.status,
      kept: kept.output[0].type,
      choice: kept.tool_choice,
    },
    conversation: {
      kinds,
      found: found.id === conversation.id,
      removed: removed.deleted,
      gone: await fail(client.conversations.retrieve(conversation.id)),
    },
    notes,
    tooLong: await fail(client.conversations.create({ metadata: { topic: 'x'.repeat(513) } })),
    deleted: { gone, after: after.output_text },
    cancelled: { status: cancelled.status, began: cancelled.output[0].content[0].text.startsWith(seen) },
    first: { ...tell(first), metadata: [first.metadata, firstAgain.metadata], instructions: first.instructions },
    second: tell(second),
    beside: tell(beside),
    third: tell(third),
    types: events.map(event => event.type).filter((type, i, all) => type !== all[i - 1]),
    numbered: events.every((event, i) => event.sequence_number === i),
    deltas: events
      .filter(event => event.type === 'response.output_text.delta')
      .map(event => event.delta)
      .join(''),
    short: { ...tell(short), reason: short.incomplete_details?.reason },
    json: json.output_text.trimStart()[0],
    object: JSON.parse(object.output_text),
    passing: { ...tell(passing), store: passing.store },
    read: tell(read),
    items,
    errors: [
      await fail(client.responses.retrieve('resp_' + '0'.repeat(64))),
      await fail(client.responses.retrieve('x')),
      await fail(client.responses.retrieve(passing.id)),
      await fail(say('And?', { previous_response_id: 'resp_' + 'a'.repeat(64) })),
      await fail(say('Do it.', { tools: [{ type: 'web_search' }] })),
      await fail(say('Hi.', { previous_response_id: first.id, store: false })),
      await fail(say('Hi.', { model: 'gpt-7' })),
    ],
  }),
);
