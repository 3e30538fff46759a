// Numbers, times and hashes for people. Pure.

const kUnits = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** "0x1234abcd…" of a hash; `digits` of it. */
export function shortHash(hash: string, digits = 8): string {
  return hash.length > digits + 3 ? `${hash.slice(0, digits + 2)}…` : hash;
}

/** The first digits, without 0x: what a block of the tree shows. */
export function tag(hash: string): string {
  return hash.slice(2, 6);
}

/** With thin spaces between the thousands, which no locale reads as a decimal sign. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < kUnits.length - 1) {
    value /= 1000;
    ++unit;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${kUnits[unit]}`;
}

export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

export function millis(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** Of the day, in the zone of whoever looks. */
export function clock(unixMs: number): string {
  const at = new Date(unixMs);
  const two = (n: number): string => n.toString().padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** A probability: 0.271 %, and in powers of ten where per cent say nothing. */
export function probability(p: number): string {
  if (p >= 0.001) return `${(p * 100).toPrecision(3)} %`;
  if (p <= 0) return '0';
  const exponent = Math.floor(Math.log10(p));
  return `${(p / 10 ** exponent).toFixed(1)} × 10${superscript(exponent)}`;
}

function superscript(n: number): string {
  const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  return n
    .toString()
    .split('')
    .map((c) => (c === '-' ? '⁻' : (digits[Number(c)] ?? c)))
    .join('');
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
