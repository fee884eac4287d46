import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Bench, say } from './bench.ts';
import { drawScaling } from './plot.ts';
import { type Row, ratioRow } from './row.ts';
import { exponent, upperHalf } from './statistics.ts';

const sides = [16, 32, 48, 64, 96, 128, 160, 192] as const;
const widths = [8, 16, 32] as const;
const usualWidth = 16;
/** The volume on which widths are compared. */
const widthSide = 64;
/** After these many, a size that would take longer for one repetition, or more of the free memory, is not run. */
const fewestSides = 4;
const longestSeconds = { alone: 8, amongAll: 2.5 };
const memoryShare = 0.7;
const picture = new URL('../../docs/scaling.svg', import.meta.url);

const figuresSchema = z.object({ seconds: z.number(), bytes: z.number(), multiplyAdds: z.number() });

/** What one volume took: bytes are those that the work added to the process. */
export interface Measured extends z.infer<typeof figuresSchema> {
  readonly side: number;
  readonly width: number;
}

type Kind = 'predict' | 'train';

/** How time and memory grow with the volume and with the network's width; where it is measured alone, with all sizes, a picture of it. */
export async function scaling({ whole }: Bench): Promise<readonly Row[]> {
  const longest = whole ? longestSeconds.amongAll : longestSeconds.alone;
  const predicted = await measureSides('predict', longest);
  const trained = await measureSides('train', longest);
  const byWidth: Measured[] = [];
  for (const width of widths) byWidth.push(await measure('train', widthSide, width));
  if (!whole) await writeFile(picture, drawScaling(predicted, trained));
  return [
    ...volumeRows('one-shot prediction', predicted),
    ...volumeRows('training step', trained),
    row(
      `training step's time, ${widths[0]} to ${widths.at(-1)} channels, exponent`,
      'linear in multiply-adds',
      byWidth.map(({ multiplyAdds, seconds }) => ({ size: multiplyAdds, value: seconds })),
    ),
    row(
      `training step's memory, ${widths[0]} to ${widths.at(-1)} channels, exponent`,
      'linear in channels',
      byWidth.map(({ width, bytes }) => ({ size: width, value: bytes })),
    ),
  ];
}

function volumeRows(what: string, measured: readonly Measured[]): readonly Row[] {
  const points = (value: 'seconds' | 'bytes') =>
    upperHalf(measured.map((one) => ({ size: one.side ** 3, value: one[value] })));
  const first = Math.round(Math.cbrt(points('seconds')[0].size));
  const range = `${first}³ to ${measured.at(-1)?.side}³`;
  return [
    row(`${what}'s time, ${range}, exponent`, 'linear in voxels', points('seconds')),
    row(`${what}'s memory, ${range}, exponent`, 'linear in voxels', points('bytes')),
  ];
}

function row(name: string, against: string, points: Parameters<typeof exponent>[0]): Row {
  return ratioRow(name, against, exponent(points), { atMost: 1.1 });
}

/** All sides up to the one that would take too long or too much. */
async function measureSides(kind: Kind, longest: number): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const side of sides) {
    const last = measured.at(-1);
    const growth = last ? (side / last.side) ** 3 : 1;
    const isTooLong = last !== undefined && last.seconds * growth > longest;
    const isTooLarge = last !== undefined && last.bytes * growth > memoryShare * freemem();
    if (measured.length >= fewestSides && (isTooLong || isTooLarge)) {
      say(`scaling: ${kind} stops before ${side}³: too ${isTooLong ? 'long' : 'large'}`);
      break;
    }
    measured.push(await measure(kind, side, usualWidth));
  }
  return measured;
}

async function measure(kind: Kind, side: number, width: number): Promise<Measured> {
  const script = fileURLToPath(new URL('scaling-run.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, kind, String(side), String(width)]);
  const figures = figuresSchema.parse(JSON.parse(stdout));
  say(
    `scaling: ${kind} ${side}³, ${width} channels: ${figures.seconds.toFixed(3)} s, ${(figures.bytes / 2 ** 20).toFixed(0)} MiB`,
  );
  return { ...figures, side, width };
}
