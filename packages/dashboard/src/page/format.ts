/** Dice or a share in percent; a dash where there is none. */
export const percent = (fraction: number | null | undefined, digits = 2): string =>
  fraction === null || fraction === undefined ? '–' : (100 * fraction).toFixed(digits);

/** Seconds as people say them. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${whole % 60} s`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${whole} s`;
}

/** Bytes in binary units. */
export function bytes(count: number): string {
  const gibibytes = count / 2 ** 30;
  if (gibibytes >= 1) return `${gibibytes.toFixed(1)} GiB`;
  const mebibytes = count / 2 ** 20;
  if (mebibytes < 0.1) return `${(1024 * mebibytes).toFixed(0)} KiB`;
  return `${mebibytes >= 10 ? mebibytes.toFixed(0) : mebibytes.toFixed(1)} MiB`;
}

/** A number of things. */
export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** A figure with about three digits. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size < 0.0005) return '0';
  if (size < 1) return value.toFixed(3);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The last part of a path. */
export const baseName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
