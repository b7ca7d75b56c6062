/**
 * A zlib stream (RFC 1950, RFC 1951) for engines without CompressionStream (Safari before 16.4). It is made for masks:
 * a byte mostly repeats the one before it or the one in the row above, so no other matches are looked for.
 */

const LONGEST = 258;
const WINDOW = 32768;
const END = 256;
const FIRST_LENGTH = 257;

/** @typedef {{base: number[], extra: number[]}} Ranges The smallest value of each code, and its extra bits. */
/** @typedef {{lengths: number[], codes: number[]}} Codes */

const LENGTHS = ranges(3, Array.from({ length: 28 }, (_, code) => (code < 8 ? 0 : (code >> 2) - 1)));
LENGTHS.base.push(LONGEST); // a code of its own
LENGTHS.extra.push(0);
const DISTANCES = ranges(1, Array.from({ length: 30 }, (_, code) => (code < 4 ? 0 : (code >> 1) - 1)));
/** The order in which the lengths of the code for code lengths are written. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** @param {number} first @param {number[]} extra @returns {Ranges} */
function ranges(first, extra) {
  const base = [];
  for (const bits of extra) {
    base.push(first);
    first += 1 << bits;
  }
  return { base, extra };
}

/** The code of a length or distance. @param {Ranges} ranges @param {number} value */
function codeOf({ base }, value) {
  let code = base.length - 1;
  while (base[code] > value) code--;
  return code;
}

/**
 * @param {Uint8Array} data At least one byte.
 * @param {number} row Bytes in a row.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function deflate(data, row) {
  const tokens = findMatches(data, row);
  const literals = new Array(FIRST_LENGTH + LENGTHS.base.length).fill(0);
  const distances = new Array(DISTANCES.base.length).fill(0);
  literals[END] = 1;
  for (const token of tokens) {
    if (token < 256) literals[token]++;
    else {
      literals[FIRST_LENGTH + codeOf(LENGTHS, token >>> 16)]++;
      distances[codeOf(DISTANCES, token & 0xffff)]++;
    }
  }
  const [literal, distance] = [codesFor(literals, 15), codesFor(distances, 15)];
  const out = new BitWriter();
  out.write(0x0178, 16); // deflate with a window of 32 kB
  out.write(0b101, 3); // the only block, with codes of its own
  describe(out, literal, distance);
  const put = (/** @type {Codes} */ { codes, lengths }, /** @type {number} */ symbol) =>
    out.write(codes[symbol], lengths[symbol]);
  for (const token of tokens) {
    if (token < 256) put(literal, token);
    else {
      const [length, back] = [token >>> 16, token & 0xffff];
      const [lengthCode, backCode] = [codeOf(LENGTHS, length), codeOf(DISTANCES, back)];
      put(literal, FIRST_LENGTH + lengthCode);
      out.write(length - LENGTHS.base[lengthCode], LENGTHS.extra[lengthCode]);
      put(distance, backCode);
      out.write(back - DISTANCES.base[backCode], DISTANCES.extra[backCode]);
    }
  }
  put(literal, END);
  return out.finish(adler32(data));
}

/**
 * @param {Uint8Array} data
 * @param {number} row
 * @returns {Uint32Array} Bytes, and matches as length << 16 | distance.
 */
function findMatches(data, row) {
  const tokens = new Uint32Array(data.length);
  let count = 0;
  const reach = (/** @type {number} */ at, /** @type {number} */ back) => {
    if (at < back || back > WINDOW) return 0;
    const end = Math.min(data.length, at + LONGEST);
    let to = at;
    while (to < end && data[to] === data[to - back]) to++;
    return to - at;
  };
  for (let at = 0; at < data.length;) {
    const run = reach(at, 1);
    const above = run < LONGEST ? reach(at, row) : 0;
    const useRow = above > run + 1 || run < 3; // a short distance takes fewer bits
    const length = useRow ? above : run;
    tokens[count++] = length < 3 ? data[at] : (length << 16) | (useRow ? row : 1);
    at += length < 3 ? 1 : length;
  }
  return tokens.subarray(0, count);
}

/**
 * A Huffman code.
 * @param {number[]} counts How often each symbol occurs.
 * @param {number} longest Bits.
 * @returns {Codes} Codes with their bits reversed, as they are written; a length of 0 is an unused symbol.
 */
function codesFor(counts, longest) {
  const used = counts.map((_, symbol) => symbol).filter((symbol) => counts[symbol]);
  let weights = used.map((symbol) => counts[symbol]);
  let lengths = new Array(counts.length).fill(0);
  for (;;) {
    let nodes = used.map((symbol, index) => ({ weight: weights[index], symbols: [symbol] }));
    lengths = lengths.fill(0);
    if (nodes.length === 1) lengths[used[0]] = 1;
    while (nodes.length > 1) {
      nodes = nodes.sort((a, b) => b.weight - a.weight);
      const pair = nodes.splice(-2);
      const symbols = [...pair[0].symbols, ...pair[1].symbols];
      for (const symbol of symbols) lengths[symbol]++;
      nodes.push({ weight: pair[0].weight + pair[1].weight, symbols });
    }
    if (Math.max(...lengths) <= longest) break;
    weights = weights.map((weight) => (weight >> 1) + 1); // flatter: the longest code becomes shorter
  }
  return { lengths, codes: canonical(lengths) };
}

/** @param {number[]} lengths */
function canonical(lengths) {
  const codes = new Array(lengths.length).fill(0);
  let next = 0;
  for (let bits = 1; bits <= 15; bits++, next <<= 1) {
    lengths.forEach((length, symbol) => {
      if (length === bits) codes[symbol] = reversed(next++, bits);
    });
  }
  return codes;
}

/** @param {number} code @param {number} bits */
function reversed(code, bits) {
  let result = 0;
  for (let bit = 0; bit < bits; bit++) result |= ((code >> bit) & 1) << (bits - 1 - bit);
  return result;
}

/**
 * Write both codes: their lengths, where runs of unused symbols are shortened.
 * @param {BitWriter} out
 * @param {Codes} literal
 * @param {Codes} distance
 */
function describe(out, literal, distance) {
  const all = [...literal.lengths, ...distance.lengths];
  /** @type {[symbol: number, value: number, bits: number][]} */
  const parts = [];
  for (let at = 0; at < all.length;) {
    let zeros = 0;
    while (all[at + zeros] === 0 && zeros < 138) zeros++;
    if (zeros < 3) parts.push([all[at], 0, 0]);
    else parts.push(zeros < 11 ? [17, zeros - 3, 3] : [18, zeros - 11, 7]);
    at += zeros < 3 ? 1 : zeros;
  }
  const counts = new Array(19).fill(0);
  for (const [symbol] of parts) counts[symbol]++;
  const { codes, lengths } = codesFor(counts, 7);
  out.write(literal.lengths.length - 257, 5);
  out.write(distance.lengths.length - 1, 5);
  out.write(ORDER.length - 4, 4);
  for (const symbol of ORDER) out.write(lengths[symbol], 3);
  for (const [symbol, value, bits] of parts) {
    out.write(codes[symbol], lengths[symbol]);
    out.write(value, bits);
  }
}

class BitWriter {
  #bytes = new Uint8Array(1 << 16);
  #size = 0;
  #held = 0;
  #bits = 0;

  /** @param {number} value @param {number} bits At most 16. */
  write(value, bits) {
    this.#held |= value << this.#bits;
    this.#bits += bits;
    for (; this.#bits >= 8; this.#bits -= 8, this.#held >>>= 8) this.#push(this.#held);
  }

  /** @param {number} checksum @returns {Uint8Array<ArrayBuffer>} */
  finish(checksum) {
    if (this.#bits) this.#push(this.#held);
    for (const shift of [24, 16, 8, 0]) this.#push(checksum >>> shift);
    return this.#bytes.slice(0, this.#size);
  }

  /** @param {number} byte */
  #push(byte) {
    if (this.#size === this.#bytes.length) {
      const more = new Uint8Array(2 * this.#size);
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes[this.#size++] = byte & 255;
  }
}

/** @param {Uint8Array} data */
function adler32(data) {
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return (b * 65536 + a) >>> 0;
}
