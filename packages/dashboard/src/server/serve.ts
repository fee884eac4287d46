import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { UserError } from 'ronasmis/run';
import { createApp } from './app.ts';
import { nameFolders } from './folders.ts';
import { createHub } from './hub.ts';
import { createPredictions } from './predictions.ts';
import { createVolumes } from './volumes.ts';

/** A server of the live page. */
export interface DashboardServer {
  /** That a browser opens. */
  readonly address: string;
  /** How many runs are followed now. */
  readonly followed: () => number;
  /** Ends all connections, and removes what was made for the page. */
  readonly close: () => Promise<void>;
}

/** What is served, and where. */
export interface ServeOptions {
  /** Run folders, studies and comparisons; they need not be there yet. */
  readonly folders: readonly string[];
  /** One that is free where it is 0. */
  readonly port: number;
}

/**
 * Serves the live page of runs, on this machine's loopback alone.
 * @throws UserError where the port is taken or the page was not built
 */
export async function serveDashboard({ folders, port: wanted }: ServeOptions): Promise<DashboardServer> {
  const temporary = await mkdtemp(join(tmpdir(), 'ronasmis-dashboard-'));
  const hub = createHub();
  const predictions = createPredictions(temporary);
  const volumes = createVolumes(temporary, predictions);
  let port = 0;
  const stop = async (): Promise<void> => {
    hub.close();
    predictions.close();
    await rm(temporary, { recursive: true, force: true });
  };
  try {
    const app = createApp({ folders: nameFolders(folders), hub, volumes, predictions, port: () => port });
    const server = createAdaptorServer({ fetch: app.fetch });
    ({ port } = await new Promise<AddressInfo>((resolve, reject) => {
      server.once('error', reject).listen(wanted, '127.0.0.1', () => {
        const address = server.address();
        if (address === null || typeof address === 'string') reject(new Error('The server has no address.'));
        else resolve(address);
      });
    }));
    return {
      address: `http://127.0.0.1:${port}/`,
      followed: hub.size,
      close: async () => {
        if ('closeAllConnections' in server) server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
        await stop();
      },
    };
  } catch (error) {
    await stop();
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) {
      throw new UserError(`Port ${wanted} can't be used here (${error.code}): give another one with --port, or none.`);
    }
    throw error;
  }
}
