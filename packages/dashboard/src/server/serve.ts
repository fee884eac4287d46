import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from './app.ts';
import { nameFolders } from './folders.ts';
import { createHub } from './hub.ts';
import { listen } from './listen.ts';
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
    const server = await listen(app, wanted);
    port = server.port;
    return {
      address: server.address,
      followed: hub.size,
      close: async () => {
        await server.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
