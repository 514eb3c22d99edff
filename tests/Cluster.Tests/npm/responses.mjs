// The Responses API with the official client: node responses.mjs BASE_URL MODEL
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
const say = (input, more = {}) => client.responses.create({ model, input, temperature: 0, max_output_tokens: 48, ...more });
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

const first = await say('What is the capital of France?', { instructions: 'You are a helpful assistant.', metadata: { topic: 'capitals' } });
const second = await say('And of Italy?', { previous_response_id: first.id });
const beside = await say('And of Germany?', { previous_response_id: first.id });

const events = [];
const stream = client.responses.stream({
  model, input: 'And of Spain?', temperature: 0, max_output_tokens: 48, previous_response_id: second.id,
}).on('event', event => events.push(event));
const third = await stream.finalResponse();

const short = await say('Count to a hundred.', { max_output_tokens: 3 });
const object = await say('Name a colour as JSON.', { text: { format: { type: 'json_object' } } });
const passing = await say('Hello.', { store: false });
const read = await client.responses.retrieve(second.id);
const items = [];
for await (const item of client.responses.inputItems.list(second.id)) {
  items.push({ role: item.role, text: item.content[0].text });
}

console.log(JSON.stringify({
  first: { ...tell(first), metadata: first.metadata, instructions: first.instructions },
  second: tell(second),
  beside: tell(beside),
  third: tell(third),
  types: events.map(event => event.type).filter((type, i, all) => type !== all[i - 1]),
  numbered: events.every((event, i) => event.sequence_number === i),
  deltas: events.filter(event => event.type === 'response.output_text.delta').map(event => event.delta).join(''),
  short: { ...tell(short), reason: short.incomplete_details?.reason },
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
}));
