/** How texts are written, by the name of a character set without its form: `ISO_IR 100` and `ISO 2022 IR 100` are one (part 3, C.12.1.1.2). */
const ENCODINGS: Readonly<Record<string, string>> = {
  // Plain ASCII; what else is there, against the rule, is mostly Latin-1.
  '': 'windows-1252',
  '6': 'windows-1252',
  '100': 'windows-1252',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '144': 'iso-8859-5',
  '127': 'iso-8859-6',
  '126': 'iso-8859-7',
  '138': 'iso-8859-8',
  '148': 'windows-1254',
  '203': 'iso-8859-15',
  '13': 'shift_jis',
  '166': 'windows-874',
  '192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

/** What an escape sequence switches to, where a file names several character sets (ISO 2022, as part 3, C.12.1.1.2, has it). */
const ESCAPES: Readonly<Record<string, string>> = {
  '(B': 'windows-1252',
  '-A': 'windows-1252',
  '-B': 'iso-8859-2',
  '-C': 'iso-8859-3',
  '-D': 'iso-8859-4',
  '-L': 'iso-8859-5',
  '-G': 'iso-8859-6',
  '-F': 'iso-8859-7',
  '-H': 'iso-8859-8',
  '-M': 'windows-1254',
  '-b': 'iso-8859-15',
  '-T': 'windows-874',
  '(J': 'shift_jis',
  ')I': 'shift_jis',
  '$)C': 'euc-kr',
  '$)A': 'gb18030',
  $B: 'JIS X 0208',
  '$@': 'JIS X 0208',
  '$(D': 'JIS X 0212',
};

const ESCAPE = 0x1b;

/**
 * A text of a DICOM file.
 * @param characterSets as the file names them (0008,0005): several have backslashes between them; none is empty
 * @returns undefined where a character set is not known here
 */
export function decodeText(bytes: Uint8Array, characterSets: string): string | undefined {
  const [first] = characterSets.split('\\').map((name) => name.trim().replace(/^ISO(_IR| 2022 IR) /, ''));
  let encoding = ENCODINGS[first];
  const parts: string[] = [];
  for (let at = 0; at <= bytes.length && encoding !== undefined; ) {
    const found = bytes.indexOf(ESCAPE, at);
    const end = found < 0 ? bytes.length : found;
    parts.push(decodePart(bytes.subarray(at, end), encoding));
    if (found < 0) return parts.join('');
    const length = isWide(bytes, end + 1) ? 3 : 2;
    encoding = ESCAPES[String.fromCharCode(...bytes.subarray(end + 1, end + 1 + length))];
    at = end + 1 + length;
  }
  return undefined;
}

/** Whether an escape sequence has a character more: `$(` or `$)`. */
const isWide = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === '$'.charCodeAt(0) && (bytes[at + 1] === '('.charCodeAt(0) || bytes[at + 1] === ')'.charCodeAt(0));

/** The two-byte sets of Japan are the same numbers in EUC, where each byte has its highest bit, and those of JIS X 0212 follow an 0x8f. */
function decodePart(bytes: Uint8Array, encoding: string): string {
  if (!encoding.startsWith('JIS')) return new TextDecoder(encoding).decode(bytes);
  const lead = encoding === 'JIS X 0212' ? [0x8f] : [];
  const pairs: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) {
    pairs.push(...lead, ...Array.from(bytes.subarray(at, at + 2), (byte) => byte | 0x80));
  }
  return new TextDecoder('euc-jp').decode(Uint8Array.from(pairs));
}
