import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { UserError } from 'ronasmis/run';

/** A server on this machine's loopback. */
export interface LoopbackServer {
  /** That a browser opens. */
  readonly address: string;
  readonly port: number;
  /** Ends all connections. */
  readonly close: () => Promise<void>;
}

/**
 * Has an application answer on this machine's loopback alone.
 * @param wanted port; one that is free where it is 0
 * @throws UserError where the port is taken
 */
export async function listen(app: Hono, wanted: number): Promise<LoopbackServer> {
  const server = createAdaptorServer({ fetch: app.fetch });
  const listening = new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', reject).listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no address.'));
      else resolve(address);
    });
  });
  const { port } = await listening.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) {
      throw new UserError(`Port ${wanted} can't be used here (${error.code}): give another one with --port, or none.`);
    }
    throw error;
  });
  return {
    address: `http://127.0.0.1:${port}/`,
    port,
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
