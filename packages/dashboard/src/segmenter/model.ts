import { architectureSchema, type SegmentingModel, segmentingSchema, UserError } from 'ronasmis/segmenter';
import { z } from 'zod';

/** The network's run, as the page knows it, and a short name of it. */
export interface KnownModel extends SegmentingModel {
  readonly key: string;
}

const knownSchema = z.object({
  key: z.string(),
  architecture: architectureSchema,
  run: segmentingSchema,
  cleaned: z.array(z.int()).readonly(),
});

/** What `export --format web` has written of the run. @throws UserError where it is not there, or damaged */
export async function readModel(): Promise<KnownModel> {
  const known = knownSchema.safeParse(await (await fetchPart('model.json')).json().catch(() => undefined));
  if (!known.success) throw new UserError('model.json: it is damaged. Export the page again.');
  return known.data;
}

/** The network's bytes. @throws UserError where they are not there */
export const readNetwork = async (): Promise<ArrayBuffer> => (await fetchPart('model.onnx')).arrayBuffer();

async function fetchPart(name: string): Promise<Response> {
  // Beside the page, whose scripts lie in a folder of it.
  const answer = await fetch(new URL(`../${name}`, self.location.href)).catch(() => undefined);
  if (!answer?.ok) throw new UserError(`${name}: it can't be fetched. Is the whole folder of the page on the server?`);
  return answer;
}
