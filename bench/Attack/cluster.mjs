// A cluster of two nodes and two gateways with a home of its own, and calls to it.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const home = fs.mkdtempSync(path.join(os.tmpdir(), 'herd-attack-'));
export const model = 'smollm2-135m-instruct';

/** The keys of the tenants: alice and bob have no limits, carol and dave have small ones. */
export const keys = { alice: 'alice-key-0123456789', bob: 'bob-key-0123456789', carol: 'carol-key-0123456789',
  dave: 'dave-key-0123456789' };

/** The key that signs the tokens of the service that the cluster trusts. */
export const signer = generateKeyPairSync('rsa', { modulusLength: 2048 });

const sha256 = text => createHash('sha256').update(text).digest('hex');
const freePort = () =>
  new Promise(resolve => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const http = await freePort();
export const base = `http://127.0.0.1:${http}`;

const tenants = path.join(home, 'tenants.json');
fs.writeFileSync(tenants, JSON.stringify({
  alice: { keys: [sha256(keys.alice)] },
  bob: { keys: [sha256(keys.bob)] },
  carol: { keys: [sha256(keys.carol)], limits: { tokens_per_minute: 60 } },
  dave: { keys: [sha256(keys.dave)], limits: { conversations: 3 } },
}), { mode: 0o600 });
const jwks = path.join(home, 'jwks.json');
fs.writeFileSync(jwks, JSON.stringify({
  keys: [{ ...signer.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }],
}));

const environment = {
  ...process.env,
  HERD_HOME: home,
  Gateway__TenantsFile: tenants,
  Gateway__Jwt__KeysFile: jwks,
  Gateway__Jwt__Issuer: 'https://issuer.example',
  Gateway__Jwt__Audience: 'herd',
};

/** Runs the herd command. */
export const herd = (...args) =>
  spawnSync(path.join(root, 'herd'), args, { encoding: 'utf8', env: environment, timeout: 240_000 });

/** Starts the herd command. Resolves to its exit code and output. */
export const herdBeside = (...args) =>
  new Promise(resolve => {
    let output = '';
    const child = spawn(path.join(root, 'herd'), args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', data => (output += data));
    child.stderr.on('data', data => (output += data));
    child.on('close', code => resolve({ code, output }));
  });

export const upArguments = ['up', '--detach', '--nodes', '2', '--gateways', '2', '--threads', '1', '--context', '2048',
  '--http', `${http}`, '--grpc', `${http + 1}`];

/** The processes of the cluster, from run.json. */
export const processes = () => JSON.parse(fs.readFileSync(path.join(home, 'run.json'), 'utf8')).processes;

/** The value of an argument of a process, such as its port. */
export const argument = (name, option) => {
  const { arguments: list } = processes().find(process => process.name === name);
  const joined = list.find(text => text.startsWith(`${option}=`));
  return joined ? joined.slice(option.length + 1) : list[list.indexOf(option) + 1];
};

/**
 * Posts a body: an object as JSON, a text or bytes as they are.
 * @returns {Promise<{status: number, text: string, seconds: number}>} Status 0: no answer in time.
 */
export const post = async (route, body, { key = keys.alice, gateway = 0, seconds = 60, signal } = {}) => {
  const began = Date.now();
  try {
    const response = await fetch(`http://127.0.0.1:${http + 2 * gateway}${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(seconds * 1000),
    });
    return { status: response.status, text: await response.text(), seconds: (Date.now() - began) / 1000 };
  } catch (error) {
    return { status: 0, text: `${error}`, seconds: (Date.now() - began) / 1000 };
  }
};

/** Asks for a short answer. */
export const chat = (text, more = {}, options = {}) =>
  post('/v1/chat/completions', { model, max_tokens: 4, messages: [{ role: 'user', content: text }], ...more }, options);

/** The nodes that are ready. */
export const readyNodes = () => (herd('nodes').stdout.match(/READY/g) ?? []).length;
