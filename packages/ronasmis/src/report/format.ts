/** Dice as a percentage with two digits, e.g. `88.12`; a dash where there is none. */
export function formatDice(dice: number | null): string {
  return dice === null ? '–' : (dice * 100).toFixed(2);
}

/** Seconds as people say them: `42 s`, `3 min 5 s`, `1 h 20 min`, `2 d 3 h`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${whole % 60} s`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${whole} s`;
}

/** Bytes in binary units: `512 MiB`, `3.2 GiB`. */
export function formatBytes(bytes: number): string {
  const [mebibytes, gibibytes] = [bytes / 2 ** 20, bytes / 2 ** 30];
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${mebibytes.toFixed(0)} MiB`;
}

/** A count with three significant digits: `840`, `12.3 k`, `1.26 M`. */
export function formatCount(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} M`;
  if (count >= 1e4) return `${(count / 1e3).toPrecision(3)} k`;
  return String(count);
}

/** A number of things: `1 case`, `42 cases`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
