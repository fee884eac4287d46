import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tensor } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { loadModel } from '../../src/inference/model.ts';
import { weight } from '../../src/network/weights.ts';
import { predictingNames } from '../network/peer.ts';
import { run, writeRun } from './predicting.ts';
import { child, network, weights } from './tiny-run.ts';

describe('loadModel', () => {
  it("gives the architecture and its weights, in the run's order of names", async () => {
    const model = await loadModel(run, 'cpu');
    expect(model.architecture).toEqual(child);
    expect([...model.weights.keys()]).toEqual(predictingNames(network));
    for (const [name, loaded] of model.weights) {
      expect(loaded.shape).toEqual(weight(weights, name).shape);
      expect(loaded.toNumbers()).toEqual(weight(weights, name).toNumbers());
      expect(loaded.requiresGradient).toBe(false);
    }
  });

  it('refuses a search that has not finished, and weights that are damaged or of another network', async () => {
    const unfinished = await writeRun(new Map());
    await rm(join(unfinished, 'report.json'));
    await expect(loadModel(unfinished, 'cpu')).rejects.toThrow(/has not finished\. Go on with it by 'ronasmis resume /);
    const other = await writeRun(new Map([['head.0', tensor(new Float32Array(6), [3, 2, 1, 1, 1])]]));
    await expect(loadModel(other, 'cpu')).rejects.toThrow(
      /model\.safetensors lacks the weight 'encoder\.0\.conv1' of arch/,
    );
    await writeFile(join(other, 'model.safetensors'), 'no weights');
    const damaged = loadModel(other, 'cpu');
    await expect(damaged).rejects.toBeInstanceOf(UserError);
    await expect(damaged).rejects.toThrow(/model\.safetensors cannot be read \(.*Search again into a new folder/);
  });
});
