/** The loupe: shows what is under the finger, enlarged, in a corner away from it. */

const SIZE = 128; // CSS px
const ROOM = 88; // CSS px that the brush's ring may take of it
const ZOOM = 1.6;

export class Loupe {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{photo: HTMLImageElement, painter: Painter, view: View}} sources
   */
  constructor(canvas, sources) {
    this.canvas = canvas;
    this.sources = sources;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.density = Math.min(2, devicePixelRatio || 1);
    canvas.width = canvas.height = SIZE * this.density;
  }

  /** Hide the loupe. */
  hide() {
    this.canvas.hidden = true;
  }

  /**
   * Show the loupe for a point.
   * @param {number} x On the stage, CSS px.
   * @param {number} y
   * @param {number} size Of the brush, CSS px; 0: a cross instead of a ring.
   */
  show(x, y, size) {
    const { photo, painter, view } = this.sources;
    const zoom = size ? Math.min(ZOOM, ROOM / size) : ZOOM;
    const side = SIZE / zoom; // CSS px of the stage that it shows
    const { context, density } = this;
    this.canvas.hidden = false;
    const high = y < SIZE * 1.5;
    this.canvas.classList.toggle('right', high && x < view.stageWidth / 2);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, SIZE, SIZE);
    const [left, top, pixel] = [x - side / 2, y - side / 2, density * zoom];
    context.setTransform(pixel, 0, 0, pixel, -pixel * left, -pixel * top);
    context.drawImage(photo, view.x, view.y, view.width * view.scale, view.height * view.scale);
    const crop = painter.density;
    context.globalAlpha = 0.55;
    context.drawImage(painter.canvas, left * crop, top * crop, side * crop, side * crop, left, top, side, side);
    context.globalAlpha = 1;
    this.#mark(x, y, size, zoom);
  }

  /** @param {[x: number, y: number, size: number, zoom: number]} ring */
  #mark(...[x, y, size, zoom]) {
    const { context } = this;
    for (const [colour, width] of /** @type {[string, number][]} */ ([['#000a', 3], ['#fff', 1.5]])) {
      context.strokeStyle = colour;
      context.lineWidth = width / zoom;
      context.beginPath();
      if (size) context.arc(x, y, size / 2, 0, 7);
      for (const [dx, dy] of size ? [] : [[8, 0], [0, 8]]) {
        context.moveTo(x - dx, y - dy);
        context.lineTo(x + dx, y + dy);
      }
      context.stroke();
    }
  }
}
