/** The tools: each turns a gesture on the photo into a line, an area or a tap. */

const STEP = 1.5; // CSS px between a line's points
const TINY = 6; // CSS px: a smaller lasso or rectangle is ignored
const TAP_TOLERANCE = 10; // CSS px that a tapping finger may move

/**
 * Brush and eraser.
 * @param {'brush' | 'eraser'} kind
 * @param {Point} start
 * @param {number} size Of the brush, CSS px.
 * @param {View} view
 * @param {Painter} painter
 * @returns {Tool}
 */
export function lineTool(kind, start, size, view, painter) {
  const first = view.toPhoto(start.x, start.y);
  /** @type {Line} */
  const line = { kind, width: size / view.scale, points: [first.x, first.y] };
  let drawn = 0;
  let last = start;
  return {
    move(points) {
      for (const point of points) {
        if (Math.hypot(point.x - last.x, point.y - last.y) < STEP) continue;
        const { x, y } = view.toPhoto(point.x, point.y);
        line.points.push(round(x), round(y));
        last = point;
      }
    },
    frame() {
      const count = line.points.length / 2;
      if (count === drawn) return;
      painter.extend(line, drawn - 2); // the last curve changes with the next point
      drawn = count;
    },
    end: () => (meets(line.points, line.width / 2, view) ? line : null),
  };
}

/**
 * @param {number[]} points
 * @param {number} margin
 * @param {Size} photo
 * @returns {boolean} Whether what was drawn can touch the photo; else there is nothing to undo.
 */
function meets(points, margin, photo) {
  const xs = points.filter((_, index) => index % 2 === 0);
  const ys = points.filter((_, index) => index % 2 === 1);
  const across = Math.max(...xs) > -margin && Math.min(...xs) < photo.width + margin;
  return across && Math.max(...ys) > -margin && Math.min(...ys) < photo.height + margin;
}

/** Round to a tenth of a pixel: drafts stay small. @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * Lasso and rectangle.
 * @param {'lasso' | 'rect'} kind
 * @param {Point} start
 * @param {boolean} erase Erase the area instead of painting it.
 * @param {View} view
 * @param {SVGPolygonElement} outline
 * @returns {Tool}
 */
export function areaTool(kind, start, erase, view, outline) {
  /** @type {Point[]} */
  let points = [start];
  let fresh = true;
  return {
    move(more) {
      fresh = true;
      const [{ x, y }, to] = [points[0], more[more.length - 1]];
      if (kind === 'rect') points = [points[0], { x: to.x, y }, to, { x, y: to.y }];
      else points.push(...more);
    },
    frame() {
      if (!fresh) return;
      fresh = false;
      outline.setAttribute('points', points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' '));
    },
    end() {
      outline.setAttribute('points', '');
      const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
      const extent = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
      if (points.length < 3 || extent < TINY) return null;
      const corners = points.map(({ x, y }) => view.toPhoto(x, y)).flatMap(({ x, y }) => [round(x), round(y)]);
      return meets(corners, 0, view) ? { kind: 'area', erase, points: corners } : null;
    },
  };
}

/**
 * Tap to select.
 * @param {Point} start
 * @param {View} view
 * @returns {Tool} Its end is the tap in photo pixels, or null if it was none.
 */
export function tapTool(start, view) {
  let still = true;
  return {
    move(points) {
      still &&= points.every(({ x, y }) => Math.hypot(x - start.x, y - start.y) < TAP_TOLERANCE);
    },
    frame() {},
    end() {
      const { x, y } = view.toPhoto(start.x, start.y);
      return still && x >= 0 && y >= 0 && x < view.width && y < view.height ? { x, y } : null;
    },
  };
}
