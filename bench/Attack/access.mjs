// Who may what: strangers, tenants, tokens, other users of the machine.
import { spawnSync } from 'node:child_process';
import { createSign, createHmac } from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import {
  argument, chat, herd, herdBeside, home, keys, post, processes, root, signer, upArguments,
} from './cluster.mjs';

const base64 = value => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JSON web token for a subject. */
const token = (claims = {}, header = {}, sign = undefined) => {
  const now = Math.floor(Date.now() / 1000);
  const body = `${base64({ alg: 'RS256', typ: 'JWT', kid: 'k1', ...header })}.${base64({
    iss: 'https://issuer.example', aud: 'herd', iat: now, nbf: now, exp: now + 600, sub: 'mallory', ...claims })}`;
  return `${body}.${sign?.(body) ?? createSign('RSA-SHA256').update(body).sign(signer.privateKey, 'base64url')}`;
};

/** Sends text to a port, and returns what comes within two seconds. */
const ask = (port, text) =>
  new Promise(resolve => {
    let reply = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    const end = () => socket.destroy() && resolve(reply);
    socket.on('data', data => (reply += data.toString('latin1'))).on('close', end).on('error', end);
    setTimeout(end, 2000);
  });

/** Calls a method of the operators' service by gRPC. Returns the status of gRPC. */
const callOperators = (method, headers = {}) =>
  new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${argument('gateway-1', '--Gateway:AdminPort')}`);
    session.on('error', reject);
    const call = session.request({ ':method': 'POST', ':path': `/herd.v1.ClusterService/${method}`,
      'content-type': 'application/grpc', te: 'trailers', ...headers });
    let status;
    call.on('response', response => (status ??= response['grpc-status']));
    call.on('trailers', trailers => (status ??= trailers['grpc-status']));
    call.on('close', () => session.close() || resolve(Number(status)));
    call.on('error', reject);
    call.resume();
    call.end(Buffer.from([0, 0, 0, 0, 0]));
  });

const unauthenticated = 16;
const stranger = path.join(root, 'tests', 'Cluster.Tests', 'npm', 'stranger.mjs');

export const attacks = [
  {
    name: 'the store answers nobody without its password',
    run: async () => {
      const reply = await ask(Number(argument('store', '--port')), 'PING\r\nKEYS *\r\nAUTH guess\r\nINFO\r\n');
      return /PONG|herd:|redis_version/.test(reply) || !reply.includes('NOAUTH') ? reply.slice(0, 200) : undefined;
    },
  },
  {
    name: 'another user of the machine reads no file, socket, memory or port',
    run: async () => {
      if (process.getuid() !== 0) {
        return 'it takes root to become another user';
      }

      const pids = processes().map(({ pid }) => pid);
      const ports = [Number(argument('store', '--port'))];
      const { stdout, stderr } = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'node',
        '--input-type=module', '-e', fs.readFileSync(stranger, 'utf8'), JSON.stringify({ home, pids, ports })],
      { encoding: 'utf8', cwd: '/' });
      const got = JSON.parse(stdout || `{"files":[${JSON.stringify(stderr)}]}`);
      const loot = [...got.files, ...got.processes, ...got.sockets];
      return loot.length > 0 ? loot.join(' ') : undefined;
    },
  },
  {
    name: 'the operators\' port asks for its key',
    run: async () => {
      for (const method of ['ListNodes', 'DrainNode', 'LoadModel', 'UnloadModel', 'Diagnose']) {
        for (const headers of [{}, { authorization: 'Bearer guess' }, { authorization: `Bearer ${keys.alice}` }]) {
          const status = await callOperators(method, headers);
          if (status !== unauthenticated) {
            return `${method}: ${status}`;
          }
        }
      }
    },
  },
  {
    name: 'an operator loads no file that the node may not',
    run: () => {
      const file = path.join(home, 'stranger.gguf');
      fs.writeFileSync(file, 'GGUF and nothing else');
      for (const name of [file, '/etc/passwd', 'no-such-model']) {
        const { status, stderr, stdout } = herd('load', 'node-1', name);
        if (status !== 1 || /\n\s+at /.test(stderr)) {
          return `herd load ${name} ended with ${status}: ${stderr}${stdout}`;
        }
      }
    },
  },
  {
    name: 'a token opens only what its claims say',
    run: async () => {
      const secret = signer.publicKey.export({ format: 'pem', type: 'spki' });
      const hmac = body => createHmac('sha256', secret).update(body).digest('base64url');
      const refused = {
        none: token({}, { alg: 'none' }, () => ''), hmac: token({}, { alg: 'HS256' }, hmac),
        crit: token({}, { crit: ['x'], x: 1 }), expired: token({ exp: 1 }), early: token({ nbf: 4e9 }),
        audience: token({ aud: 'other' }), issuer: token({ iss: 'https://other.example' }),
        subject: token({ sub: undefined }),
      };
      for (const [name, key] of Object.entries(refused)) {
        const { status } = await chat('Hello.', {}, { key });
        if (status !== 401) {
          return `${name}: ${status}`;
        }
      }

      const { status } = await chat('Hello.', {}, { key: token() });
      return status === 200 ? undefined : `a good token: ${status}`;
    },
  },
  {
    name: 'a token that names a tenant of the configuration is another tenant',
    run: async () => {
      const { status, text } = await post('/v1/conversations', {}, { key: keys.alice });
      const { id } = JSON.parse(text);
      const item = { items: [{ type: 'message', role: 'user', content: 'mine' }] };
      const own = await post(`/v1/conversations/${id}/items`, item);
      for (const key of [token({ sub: 'alice' }), keys.bob]) {
        const foreign = await post(`/v1/responses`, { model: 'smollm2-135m-instruct', input: 'x', conversation: id },
          { key });
        if (foreign.status !== 404) {
          return `${foreign.status} ${foreign.text.slice(0, 200)}`;
        }
      }

      return status === 200 ? undefined : `${status} ${own.status}`;
    },
  },
  {
    name: 'two `herd up` at once: one starts it or finds it, the other says so',
    run: async () => {
      const both = await Promise.all([herdBeside(...upArguments), herdBeside(...upArguments)]);
      const said = both.filter(({ output }) => output.includes('another \'herd up\''));
      const fine = both.filter(({ code }) => code === 0);
      return fine.length >= 1 && fine.length + said.length === 2 && both.every(({ output }) => !/\n\s+at /.test(output))
        ? undefined
        : both.map(({ code, output }) => `${code}: ${output}`).join('; ').slice(0, 600);
    },
  },
];
