/** Draws paint operations on a canvas: on the screen, in the loupe and for the uploaded mask. */

const SHARP = Math.cos((75 * Math.PI) / 180); // a sharper turn is kept as a corner

/**
 * @param {number} width
 * @param {number} height
 * @returns {HTMLCanvasElement} A canvas that is not on the page.
 */
export function createCanvas(width, height) {
  return Object.assign(document.createElement('canvas'), { width, height });
}

/**
 * Draw a cubic curve from p1 to p2, with tangents from their neighbours. It passes through every point; handles of a
 * third of the segment keep it from looping where points are unevenly spaced.
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} points
 * @param {number} index Of p2's x in points.
 */
function curveTo(context, points, index) {
  const [x1, y1, x2, y2] = [points[index - 2], points[index - 1], points[index], points[index + 1]];
  const third = Math.hypot(x2 - x1, y2 - y1) / 3;
  const [ax, ay] = direction(points, index - 2);
  const [bx, by] = direction(points, index);
  context.bezierCurveTo(x1 + ax * third, y1 + ay * third, x2 - bx * third, y2 - by * third, x2, y2);
}

/**
 * @param {number[]} points
 * @param {number} index
 * @returns {[number, number]} The unit tangent at a point; zero at the ends and at corners.
 */
function direction(points, index) {
  if (index < 2 || index + 3 >= points.length) return [0, 0];
  const [x, y] = [points[index], points[index + 1]];
  const [inX, inY] = [x - points[index - 2], y - points[index - 1]];
  const [outX, outY] = [points[index + 2] - x, points[index + 3] - y];
  const lengths = Math.hypot(inX, inY) * Math.hypot(outX, outY);
  if (!lengths || (inX * outX + inY * outY) / lengths < SHARP) return [0, 0];
  const length = Math.hypot(inX + outX, inY + outY);
  return [(inX + outX) / length, (inY + outY) / length];
}

/**
 * Draw a brush or eraser line from its point number `from` on.
 * @param {CanvasRenderingContext2D} context
 * @param {Line} line
 * @param {number} [from]
 */
export function drawLine(context, line, from = 0) {
  const { points } = line;
  context.globalCompositeOperation = line.kind === 'eraser' ? 'destination-out' : 'source-over';
  context.lineWidth = line.width;
  context.lineCap = context.lineJoin = 'round';
  context.beginPath();
  if (points.length === 2) { // a line without length is not drawn (HTML standard, "trace a path")
    context.arc(points[0], points[1], line.width / 2, 0, 7);
    return context.fill();
  }
  const start = 2 * Math.max(0, Math.min(from, points.length / 2 - 1));
  context.moveTo(points[start], points[start + 1]);
  for (let index = start + 2; index < points.length; index += 2) curveTo(context, points, index);
  context.stroke();
}

/**
 * Draw operations, clipped to the photo.
 * @param {CanvasRenderingContext2D} context Its transform maps photo pixels to the canvas; its fill and stroke style is the ink.
 * @param {Op[]} ops
 * @param {Size} photo
 * @param {Box} visible The part of the photo that the canvas shows.
 */
export function drawOps(context, ops, photo, visible) {
  context.save();
  context.beginPath();
  context.rect(0, 0, photo.width, photo.height);
  context.clip();
  for (const op of ops) {
    if (op.kind === 'brush' || op.kind === 'eraser') {
      if (touches(op.points, op.width / 2, visible)) drawLine(context, op);
    } else if (op.kind === 'area') {
      context.globalCompositeOperation = op.erase ? 'destination-out' : 'source-over';
      context.beginPath();
      for (let index = 0; index < op.points.length; index += 2) context.lineTo(op.points[index], op.points[index + 1]);
      context.fill();
    } else if (op.kind === 'found' || op.kind === 'stored') {
      context.globalCompositeOperation = 'source-over';
      context.drawImage(maskImage(op.mask, String(context.fillStyle)), 0, 0, photo.width, photo.height);
    } else if (op.kind === 'invert') {
      context.globalCompositeOperation = 'source-out';
      context.fillRect(0, 0, photo.width, photo.height);
    }
  }
  context.restore();
}

/**
 * @param {number[]} points
 * @param {number} margin
 * @param {Box} visible
 */
function touches(points, margin, visible) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let index = 0; index < points.length; index += 2) {
    left = Math.min(left, points[index]);
    right = Math.max(right, points[index]);
    top = Math.min(top, points[index + 1]);
    bottom = Math.max(bottom, points[index + 1]);
  }
  const room = margin * 1.5; // curves reach past their points
  const across = left - room < visible.right && right + room > visible.left;
  return across && top - room < visible.bottom && bottom + room > visible.top;
}

/** @type {Map<Bits, {colour: string, image: CanvasImageSource}>} */
const images = new Map();

/**
 * A 1-bit mask as an image. Only the last two are cached: one takes up to 12 MB.
 * @param {Bits} mask
 * @param {string} colour #rrggbb
 */
function maskImage(mask, colour) {
  const cached = images.get(mask);
  if (cached?.colour === colour) return cached.image;
  const image = createCanvas(mask.width, mask.height);
  const context = /** @type {CanvasRenderingContext2D} */ (image.getContext('2d'));
  const data = context.createImageData(mask.width, mask.height);
  const words = new Uint32Array(data.data.buffer);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const ink = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  const stride = (mask.width + 7) >> 3;
  for (let row = 0, at = 0; row < mask.height; row++) {
    for (let column = 0; column < mask.width; column++, at++) {
      if (mask.bits[row * stride + (column >> 3)] & (0x80 >> (column & 7))) words[at] = ink;
    }
  }
  context.putImageData(data, 0, 0);
  images.delete(mask);
  images.set(mask, { colour, image });
  if (images.size > 2) images.delete(/** @type {Bits} */ (images.keys().next().value));
  return image;
}
