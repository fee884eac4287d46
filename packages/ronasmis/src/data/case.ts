import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { type Turn, turnTo, turnTwice, turnVolume } from '../formats/orientation.ts';
import { type Misplaced, type Placed, placeOn } from '../formats/placement.ts';
import { readStored, readStoredLabelMap } from '../formats/read-volume.ts';
import type { Volume } from '../formats/volume.ts';
import { joinChannels } from './channels.ts';
import { type Clip, clipOutliers } from './outliers.ts';
import type { Problem } from './problem.ts';

/** A scan and its label map, by their files. */
export interface Case {
  /** The image's file name without ending and without a channel's number, or what differs in the paths (`caseNames`). */
  readonly name: string;
  /** One file with all channels, or one a channel. */
  readonly images: readonly string[];
  readonly label: string;
}

/** A case with both volumes decoded. */
export interface LoadedCase extends Case {
  /** The first of the image's files, which messages name. */
  readonly image: string;
  /** As {@link clipOutliers} leaves it. */
  readonly imageVolume: Volume;
  readonly clips: readonly Clip[];
  /** Of its channel files, those that lie a little beside the first. */
  readonly misplacedChannels: readonly Misplaced[];
  /** In the image's voxel order and with its affine, where `labelPlace` says that it lies there. */
  readonly labelVolume: Volume;
  /** How the label lies on the image's grid. */
  readonly labelPlace: Pick<Placed, 'kind' | 'what' | 'voxels'>;
  /** From the voxel order of the label's file to that of `labelVolume`. */
  readonly labelTurn: Turn;
  /** Of the stored (compressed) files if they are NIfTI, or else of what they hold. */
  readonly imageSha256: string;
  readonly labelSha256: string;
  /** Both together, in the same way. */
  readonly storedBytes: number;
}

/** A decoded case, or what is wrong with its files (both are looked at). */
export type LoadResult =
  | { readonly kind: 'loaded'; readonly loaded: LoadedCase }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] };

/** Reads, hashes and decodes the files of a case. */
export async function loadCase(entry: Case): Promise<LoadResult> {
  const [image, label] = await Promise.all([
    loadFiles(entry.images, readStored),
    loadFiles([entry.label], readStoredLabelMap),
  ]);
  if (image.kind === 'problem' || label.kind === 'problem') {
    return {
      kind: 'unreadable',
      problems: [image, label].flatMap((file) => (file.kind === 'problem' ? [file.problem] : [])),
    };
  }
  const { volume: labelVolume, turn: labelTurn, ...labelPlace } = placeOn(label.volume, image.volume);
  const { volume: imageVolume, clips } = clipOutliers(image.volume);
  const loaded = {
    ...entry,
    image: entry.images[0],
    imageVolume,
    clips,
    misplacedChannels: image.misplaced,
    labelVolume,
    labelPlace,
    labelTurn,
    imageSha256: image.sha256,
    labelSha256: label.sha256,
    storedBytes: image.storedBytes + label.storedBytes,
  };
  return { kind: 'loaded', loaded };
}

type LoadedFile =
  | {
      readonly kind: 'volume';
      readonly volume: Volume;
      readonly misplaced: readonly Misplaced[];
      readonly sha256: string;
      readonly storedBytes: number;
    }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** One volume, in one file or one a channel. */
async function loadFiles(files: readonly string[], read: typeof readStored): Promise<LoadedFile> {
  try {
    const stored = await Promise.all(files.map(read));
    const content = stored.flatMap((one) => one.content);
    const hash = createHash('sha256');
    for (const part of content) hash.update(part);
    const storedBytes = content.reduce((sum, { length }) => sum + length, 0);
    const misplaced: Misplaced[] = [];
    const volume = joinChannels(
      stored.map((one) => one.volume),
      (channel) => misplaced.push(channel),
    );
    return { kind: 'volume', volume, misplaced, sha256: hash.digest('hex'), storedBytes };
  } catch (error) {
    if (error instanceof UserError) {
      return { kind: 'problem', problem: { severity: 'error', file: files[0], message: error.message } };
    }
    throw error;
  }
}

/** The case with both volumes turned in the same way, so that the axes of its image point to `orientation`, such as 'RAS'. */
export function turnCase(loaded: LoadedCase, orientation: string): LoadedCase {
  const turn = turnTo(loaded.imageVolume, orientation);
  const [imageVolume, labelVolume] = [loaded.imageVolume, loaded.labelVolume].map((volume) => turnVolume(volume, turn));
  return { ...loaded, imageVolume, labelVolume, labelTurn: turnTwice(loaded.labelTurn, turn) };
}
