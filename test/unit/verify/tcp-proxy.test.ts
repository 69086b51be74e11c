import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../../../verify/place/tcp-proxy.js';

let server: Server;
let proxy: TcpProxy;
let port: number | undefined;
let heard: string;
const clients: Socket[] = [];

/** It answers with what it is sent, in capitals. */
beforeEach(async () => {
  heard = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += data;
      socket.write(String(data).toUpperCase());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as { port: number });
  proxy = await TcpProxy.start(() => port);
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.close();
  await new Promise((resolve) => server.close(resolve));
});

async function connected(): Promise<Socket> {
  const client = connect(proxy.port, '127.0.0.1');
  clients.push(client);
  await once(client, 'connect');
  return client;
}

async function answer(client: Socket): Promise<string> {
  return String((await once(client, 'data'))[0]);
}

async function asked(client: Socket, text: string): Promise<string> {
  client.write(text);
  return answer(client);
}

describe('a proxy', () => {
  it('passes on both ways, also slowly and in order', async () => {
    const client = await connected();
    expect(await asked(client, 'a')).toBe('A');
    const slow = proxy.slow(20, 60);
    client.write('b');
    client.write('c');
    let got = '';
    while (got.length < 2) got += await answer(client);
    expect(got).toBe('BC');
    await slow;
  });

  it('cuts connections; new ones work', async () => {
    const client = await connected();
    await asked(client, 'a');
    const error = once(client, 'error');
    proxy.cut();
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(await asked(await connected(), 'b')).toBe('B');
  });

  it('is silent for a while, then goes on with what was held', async () => {
    const client = await connected();
    await asked(client, 'a');
    const silence = proxy.silence(1_500, { isTotal: false, isCut: false });
    client.write('b');
    const late = answer(client);
    expect(await asked(await connected(), 'c')).toBe('C');
    expect(heard).toBe('ac');
    await silence;
    expect(await late).toBe('B');
  });

  it('loses answers to what has arrived, then cuts', async () => {
    const client = await connected();
    await asked(client, 'a');
    const error = once(client, 'error');
    const lost = proxy.loseAnswers(1_000);
    client.write('b');
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
    await lost;
    expect(heard).toBe('ab');
  });

  it('lets nobody through while its server is away', async () => {
    port = undefined;
    const client = connect(proxy.port, '127.0.0.1');
    clients.push(client);
    expect(await once(client, 'error')).toMatchObject([{ code: 'ECONNRESET' }]);
  });
});
