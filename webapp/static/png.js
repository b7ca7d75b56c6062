/** Masks as files: encodes the painted mask as a 1-bit grey PNG, decodes masks of the server. */

import { deflate } from './deflate.js';
import { createCanvas, drawOps } from './drawing.js';
import { PageError } from './strings.js';

const MAX_BYTES = 100_000;
const MAX_PIXELS = 12_600_000; // larger masks are scaled down: their edges are feathered anyway
const BAND_PIXELS = 1_000_000; // drawn at a time: iOS limits a canvas's size (docs/telegram.md#canvas-memory)
const KEPT_SIDE = 2048; // px, of masks of the server

/**
 * The painted mask as a PNG with the photo's aspect ratio, white = painted; as large as 100 kB allow.
 * @param {Op[]} ops
 * @param {Size} photo
 * @returns {Promise<Blob>}
 * @throws {PageError} mask-empty (everything was erased again), mask-everything.
 */
export async function exportMask(ops, photo) {
  let scale = Math.min(1, Math.sqrt(MAX_PIXELS / (photo.width * photo.height)));
  for (;;) {
    const width = Math.max(1, Math.round(photo.width * scale));
    const height = Math.max(1, Math.round(photo.height * scale));
    const png = await render(ops, photo, width, height);
    if (png.size <= MAX_BYTES || Math.min(width, height) < 64) return png;
    scale *= Math.max(0.5, Math.min(0.85, Math.sqrt(MAX_BYTES / png.size)));
  }
}

/** @type {(ops: Op[], photo: {width: number, height: number}, width: number, height: number) => Promise<Blob>} */
async function render(ops, photo, width, height) {
  const rows = Math.max(1, Math.min(height, Math.floor(BAND_PIXELS / width)));
  const canvas = createCanvas(width, rows);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  const stride = (width + 7) >> 3;
  const bits = new Uint8Array(stride * height);
  const [scaleX, scaleY] = [width / photo.width, height / photo.height];
  let set = 0;
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, rows);
    context.setTransform(scaleX, 0, 0, scaleY, 0, -top);
    context.fillStyle = context.strokeStyle = '#ffffff';
    drawOps(context, ops, photo, { left: 0, right: photo.width, top: top / scaleY, bottom: (top + count) / scaleY });
    const { data } = context.getImageData(0, 0, width, count);
    for (let row = 0, at = 3; row < count; row++) {
      const start = (top + row) * stride;
      for (let column = 0; column < width; column++, at += 4) {
        if (data[at] < 128) continue;
        bits[start + (column >> 3)] |= 0x80 >> (column & 7);
        set++;
      }
    }
    await new Promise((done) => setTimeout(done)); // lets the page respond between bands
  }
  canvas.width = canvas.height = 1; // Safari frees a canvas's memory only this way
  if (!set) throw new PageError('mask-empty');
  if (set === width * height) throw new PageError('mask-everything');
  return encode({ width, height, bits });
}

/**
 * A PNG of bit depth 1, colour type 0 (PNG specification, 11.2.1). No filter: deflate alone
 * compresses these rows better than after the filter "up".
 * @param {Bits} mask
 * @returns {Promise<Blob>}
 */
export async function encode(mask) {
  const { width, height, bits } = mask;
  const stride = (width + 7) >> 3;
  const raw = new Uint8Array((stride + 1) * height);
  for (let row = 0; row < height; row++) {
    raw.set(bits.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 1);
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    ...chunk('IHDR', new Uint8Array(header.buffer)),
    ...chunk('IDAT', await compress(raw, stride + 1)),
    ...chunk('IEND', new Uint8Array()),
  ];
  return new Blob(parts, { type: 'image/png' });
}

/** @param {Uint8Array<ArrayBuffer>} data @param {number} row Bytes in a row. */
async function compress(data, row) {
  if (typeof CompressionStream !== 'function') return deflate(data, row);
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The table of PNG's CRC-32 (annex D). */
const CRC = new Uint32Array(256).map((_, index) => {
  for (let bit = 0; bit < 8; bit++) index = index & 1 ? 0xedb88320 ^ (index >>> 1) : index >>> 1;
  return index;
});

function chunk(/** @type {string} */ type, /** @type {Uint8Array<ArrayBuffer>} */ data) {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, data.length);
  for (let at = 0; at < 4; at++) head[4 + at] = type.charCodeAt(at);
  let crc = ~0;
  for (const part of [head.subarray(4), data]) for (const byte of part) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, ~crc >>> 0);
  return [head, data, tail];
}

/**
 * Decode a mask.
 * @param {Blob} png
 * @returns {Promise<Bits>} Its long side is at most 2048.
 */
export async function decode(png) {
  const url = URL.createObjectURL(png);
  const image = new Image();
  try {
    image.src = url;
    await image.decode();
    const scale = Math.min(1, KEPT_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
    const width = Math.max(1, Math.round(image.naturalWidth * scale));
    const height = Math.max(1, Math.round(image.naturalHeight * scale));
    const canvas = createCanvas(width, height);
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    canvas.width = canvas.height = 1;
    const stride = (width + 7) >> 3;
    const bits = new Uint8Array(stride * height);
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at += 4) {
        if (data[at] >= 128) bits[row * stride + (column >> 3)] |= 0x80 >> (column & 7);
      }
    }
    return { width, height, bits };
  } finally {
    URL.revokeObjectURL(url);
  }
}
